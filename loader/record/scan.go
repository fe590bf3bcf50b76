package record

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/tidwall/gjson"
)

// members calls f for every key of the object in a line and the text of its value, in order, and reports whether the
// line is one: valid JSON in valid UTF-8. It reads each byte once, eight at a time within strings, which is most of the
// cost of reading a record; what is wrong with any other line is for malformed to say.
func members(line []byte, f func(key, value string)) bool {
	v := newValidator(unsafe.String(unsafe.SliceData(line), len(line)))
	i := v.space(0)
	if v.at(i) != '{' {
		return false
	}
	v.depth = 1
	if i = v.object(i, f); i < 0 || v.space(i) != len(line) {
		return false
	}
	return v.seen&highBits == 0 || utf8.Valid(line)
}

// maxDepth keeps the recursion over nested JSON far away from the end of the stack.
const maxDepth = 10_000

// tooDeep reports whether JSON text nests more than maxDepth objects and arrays, before the first mistake in it.
func tooDeep(text string) bool {
	if len(text) <= maxDepth {
		return false
	}
	v := newValidator(text)
	return v.value(v.space(0)) < 0 && v.depth > maxDepth
}

// validator finds the ends of the JSON values in a line: its methods are passed the index where one begins and return
// the index after its end, -1 if it is not valid.
type validator struct {
	line    []byte // the text's bytes
	text    string
	seen    uint64 // every bit of any byte in a string
	escaped bool   // a string had a backslash
	depth   int    // objects and arrays around the value; more than maxDepth are not valid
}

func newValidator(text string) validator {
	return validator{line: unsafe.Slice(unsafe.StringData(text), len(text)), text: text}
}

// eachMember calls f for every key and value of an object, in order, within a line that is valid.
func eachMember(object string, f func(key, value string)) {
	v := newValidator(object)
	v.object(0, f)
}

// eachElement calls f for the text of every element of an array within a line that is valid, in order.
func eachElement(array string, f func(value string)) {
	v := newValidator(array)
	v.array(0, f)
}

// unquote returns the text of a JSON string, "" for any other value.
func unquote(value string) string {
	if value[0] != '"' {
		return ""
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	return gjson.Parse(value).Str
}

// at returns the byte at an index, 0 past the end.
func (v *validator) at(i int) byte {
	if i < len(v.line) {
		return v.line[i]
	}
	return 0
}

// space skips white space.
func (v *validator) space(i int) int {
	for i < len(v.line) && (v.line[i] == ' ' || v.line[i] == '\t' || v.line[i] == '\n' || v.line[i] == '\r') {
		i++
	}
	return i
}

func (v *validator) value(i int) int {
	switch c := v.at(i); c {
	case '"':
		return v.string(i)
	case '{', '[':
		if v.depth++; v.depth > maxDepth {
			return -1
		}
		if c == '{' {
			i = v.object(i, nil)
		} else {
			i = v.array(i, nil)
		}
		if i >= 0 {
			v.depth--
		}
		return i
	case 't':
		return v.literal(i, "true")
	case 'f':
		return v.literal(i, "false")
	case 'n':
		return v.literal(i, "null")
	default:
		return v.number(i)
	}
}

func (v *validator) object(i int, f func(key, value string)) int {
	if i = v.space(i + 1); v.at(i) == '}' {
		return i + 1
	}
	for {
		if v.at(i) != '"' {
			return -1
		}
		v.escaped = false
		end := v.string(i)
		if end < 0 {
			return -1
		}
		key := v.text[i+1 : end-1]
		if f != nil && v.escaped {
			key = unquote(v.text[i:end])
		}
		if i = v.space(end); v.at(i) != ':' {
			return -1
		}
		i = v.space(i + 1)
		if end = v.value(i); end < 0 {
			return -1
		}
		if f != nil {
			f(key, v.text[i:end])
		}
		var more bool
		if i, more = v.next(end, '}'); !more {
			return i
		}
	}
}

func (v *validator) array(i int, f func(value string)) int {
	if i = v.space(i + 1); v.at(i) == ']' {
		return i + 1
	}
	for {
		end := v.value(i)
		if end < 0 {
			return -1
		}
		if f != nil {
			f(v.text[i:end])
		}
		var more bool
		if i, more = v.next(end, ']'); !more {
			return i
		}
	}
}

// next skips from the end of an item to the one that follows, or past the end of the object or array.
func (v *validator) next(i int, end byte) (at int, more bool) {
	switch i = v.space(i); v.at(i) {
	case end:
		return i + 1, false
	case ',':
		return v.space(i + 1), true
	}
	return -1, false
}

func (v *validator) literal(i int, word string) int {
	if strings.HasPrefix(v.text[i:], word) {
		return i + len(word)
	}
	return -1
}

func (v *validator) number(i int) int {
	if v.at(i) == '-' {
		i++
	}
	start := i
	if i = v.digits(i); i < 0 || v.line[start] == '0' && i > start+1 {
		return -1
	}
	if v.at(i) == '.' {
		if i = v.digits(i + 1); i < 0 {
			return -1
		}
	}
	if c := v.at(i); c == 'e' || c == 'E' {
		i++
		if c := v.at(i); c == '+' || c == '-' {
			i++
		}
		return v.digits(i)
	}
	return i
}

// digits skips one digit or more.
func (v *validator) digits(i int) int {
	if !isDigit(v.at(i)) {
		return -1
	}
	for isDigit(v.at(i)) {
		i++
	}
	return i
}

// Eight bytes at once, as in "Bit Twiddling Hacks" (Sean Eron Anderson): the highest bit of the first byte that is
// meant is set, and no lower one.
const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// stops marks the bytes that end a string's plain text: quotes, backslashes and control characters.
func stops(w uint64) uint64 {
	quote, backslash := w^'"'*lowBits, w^'\\'*lowBits
	return ((quote-lowBits)&^quote | (backslash-lowBits)&^backslash | (w-' '*lowBits)&^w) & highBits
}

func (v *validator) string(i int) int {
	for i++; ; {
		i = v.plain(i)
		switch v.at(i) {
		case '"':
			return i + 1
		case '\\':
			v.escaped = true
			if i = v.escape(i + 1); i < 0 {
				return -1
			}
		default:
			return -1 // a control character, or the line's end
		}
	}
}

// plain skips the bytes of a string that stand for themselves.
func (v *validator) plain(i int) int {
	for ; i+8 <= len(v.line); i += 8 {
		w := binary.LittleEndian.Uint64(v.line[i:])
		if stop := stops(w); stop != 0 {
			n := bits.TrailingZeros64(stop) &^ 7
			v.seen |= w & (1<<n - 1)
			return i + n/8
		}
		v.seen |= w
	}
	for ; i < len(v.line) && stops(uint64(v.line[i])|' '*lowBits&^0xff) == 0; i++ {
		v.seen |= uint64(v.line[i])
	}
	return i
}

// escape skips what follows a backslash.
func (v *validator) escape(i int) int {
	switch v.at(i) {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 1
	case 'u':
		for end := i + 4; i < end; {
			if i++; !isHex(v.at(i)) {
				return -1
			}
		}
		return i + 1
	}
	return -1
}

func isHex(c byte) bool { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }
