package record

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxFlatBytes bounds the texts of one member's flattened metadata. Every value repeats the keys above it, so that a
// short line can flatten into gigabytes.
const maxFlatBytes = 16 << 20

var errFlatTooLarge = fmt.Errorf("its paths and values take more than %d bytes, want shorter keys or fewer values",
	maxFlatBytes)

// setMetadata reads JSON text of an object into the metadata of m.
func (m *Member) setMetadata(object string) error {
	// Members are few beside messages, so that maps, which keep the last value of a key, are fast enough.
	var tree map[string]any
	decoder := json.NewDecoder(strings.NewReader(object))
	decoder.UseNumber()
	if err := decoder.Decode(&tree); err != nil {
		return fmt.Errorf("can't be read: %w", err)
	}
	flat := flattener{}
	flat.members("", tree)
	if flat.size > maxFlatBytes {
		return errFlatTooLarge
	}
	m.Paths = distinct(flat.paths, strings.Compare)
	for _, p := range distinct(flat.pairs, comparePairs) {
		m.PairPaths = append(m.PairPaths, p.path)
		m.PairValues = append(m.PairValues, p.value)
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(tree)
	m.Metadata = strings.TrimSuffix(text.String(), "\n")
	return err
}

// pair is a scalar's text and the path where it stands.
type pair struct{ path, value string }

func comparePairs(a, b pair) int {
	return cmp.Or(strings.Compare(a.path, b.path), strings.Compare(a.value, b.value))
}

func distinct[T comparable](all []T, compare func(a, b T) int) []T {
	slices.SortFunc(all, compare)
	return slices.Compact(all)
}

// flattener collects paths and pairs, some of them more than once. Beyond maxFlatBytes it ignores the rest.
type flattener struct {
	paths []string
	pairs []pair
	size  int
}

// members collects what an object holds; prefix is its path and a dot, "" for the outermost.
func (f *flattener) members(prefix string, object map[string]any) {
	for key, value := range object {
		if f.size += len(prefix) + len(key); f.size > maxFlatBytes {
			return
		}
		if value != nil {
			path := prefix + key
			f.paths = append(f.paths, path)
			f.value(path, value)
		}
	}
}

// value collects a value, all of an array's elements as if each stood at the array's path.
func (f *flattener) value(path string, value any) {
	if f.size > maxFlatBytes {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		f.size += len(path)
		f.members(path+".", value)
	case []any:
		for _, element := range value {
			f.value(path, element)
		}
	case string:
		f.pair(path, value)
	case json.Number:
		f.pair(path, numberText(value.String()))
	case bool:
		f.pair(path, strconv.FormatBool(value))
	}
}

func (f *flattener) pair(path, value string) {
	f.size += len(path) + len(value)
	f.pairs = append(f.pairs, pair{path, value})
}

// numberText returns a JSON number in its shortest form, one for each value however it is written: as JavaScript prints
// it, except that whole numbers and those too large for it keep all their digits, where JavaScript would round them.
func numberText(literal string) string {
	const writtenOut = 21 // digits of a whole number, as JavaScript has it
	digits, exponent := decimal(literal)
	sign := literal[:len(literal)-len(strings.TrimPrefix(literal, "-"))]
	number, err := strconv.ParseFloat(literal, 64)
	switch {
	case digits == "":
		return "0" // never -0
	case exponent >= 0 && len(digits)+exponent <= writtenOut:
		return sign + digits + strings.Repeat("0", exponent)
	case exponent >= 0 || errors.Is(err, strconv.ErrRange):
		return sign + shorter(digits, exponent)
	case number == 0:
		return "0" // it is too small
	case math.Abs(number) >= 1e-6 && math.Abs(number) < 1e21:
		return strconv.FormatFloat(number, 'f', -1, 64)
	}
	// JavaScript pads no exponent: 1e-7, where Go writes 1e-07.
	return strings.Replace(strconv.FormatFloat(number, 'e', -1, 64), "e-0", "e-", 1)
}

// shorter returns digits × 10^exponent in all its digits: written out, or with an exponent if that is shorter.
func shorter(digits string, exponent int) string {
	short := digits[:1]
	if len(digits) > 1 {
		short += "." + digits[1:]
	}
	short += fmt.Sprintf("e%+d", len(digits)-1+exponent)
	if exponent >= 0 && len(digits)+exponent <= len(short) {
		return digits + strings.Repeat("0", exponent)
	}
	return short
}
