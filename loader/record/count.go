package record

import (
	"math"
	"strconv"
	"strings"
)

// count reads a number of things, 0 where it is absent. Any way to write a whole number will do: 3, 3.0, 3e0.
func (r *reader) count(field, raw string) uint32 {
	if absent(raw) {
		return 0
	}
	if n, err := strconv.ParseUint(raw, 10, 32); err == nil {
		return uint32(n)
	}
	if raw[0] != '-' && !isDigit(raw[0]) {
		r.wrong(field, raw, "a number")
		return 0
	}
	digits, exponent := decimal(raw)
	switch {
	case digits == "":
		return 0
	case raw[0] == '-':
		r.wrong(field, raw, "a count of at least 0")
	case exponent < 0:
		r.wrong(field, raw, "a whole number")
	case exponent <= 10: // more zeros are too large for any digits, and not worth writing
		n, err := strconv.ParseUint(digits+strings.Repeat("0", exponent), 10, 32)
		if err == nil {
			return uint32(n)
		}
		fallthrough
	default:
		r.wrong(field, raw, "a count of at most 4294967295")
	}
	return 0
}

// total reads a count that, where it is absent, is the sum of two others.
func (r *reader) total(field, raw string, a, b uint32) uint32 {
	if !absent(raw) {
		return r.count(field, raw)
	}
	if a > math.MaxUint32-b {
		r.fail(field, "is absent, and the sum that stands for it is more than 4294967295")
	}
	return a + b
}

// decimal splits the absolute value of a JSON number into digits × 10^exponent without rounding. Digits begin and end
// with none that is zero, so a whole number has an exponent of at least 0; for zero there are none.
func decimal(number string) (digits string, exponent int) {
	mantissa := strings.TrimPrefix(number, "-")
	if i := strings.IndexAny(mantissa, "eE"); i >= 0 {
		// An exponent beyond an int's range comes back as the end of that range. Halved, it leaves room for the
		// digits' own places.
		exponent, _ = strconv.Atoi(mantissa[i+1:])
		exponent = min(max(exponent, math.MinInt/2), math.MaxInt/2)
		mantissa = mantissa[:i]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	trimmed := strings.TrimRight(digits, "0")
	return trimmed, exponent - len(fraction) + len(digits) - len(trimmed)
}

// isInteger reports whether JSON text is a number without fraction and exponent.
func isInteger(raw string) bool {
	digits := strings.TrimPrefix(raw, "-")
	for i := range len(digits) {
		if !isDigit(digits[i]) {
			return false
		}
	}
	return digits != ""
}

func isDigit(c byte) bool { return c-'0' <= 9 }
