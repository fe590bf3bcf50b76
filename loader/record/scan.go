package record

import (
	"strings"

	"github.com/tidwall/gjson"
)

// These walk through JSON text that is known to be valid, in one look at each byte. Values come without the white space around them.

// eachMember calls f for every key of an object and the text of its value, in order.
func eachMember(object string, f func(key, value string)) {
	for rest := skipSpace(object[1:]); rest[0] != '}'; {
		key := rest[:stringEnd(rest)]
		value, after := cutValue(skipSpace(rest[len(key):])[1:]) // past the colon
		f(unquote(key), value)
		rest = nextItem(after)
	}
}

// eachElement calls f for the text of every element of an array, in order.
func eachElement(array string, f func(value string)) {
	for rest := skipSpace(array[1:]); rest[0] != ']'; {
		value, after := cutValue(rest)
		f(value)
		rest = nextItem(after)
	}
}

// nextItem goes past the comma, if one follows.
func nextItem(rest string) string {
	if rest = skipSpace(rest); rest[0] == ',' {
		return skipSpace(rest[1:])
	}
	return rest
}

func skipSpace(s string) string {
	for i := range len(s) {
		if c := s[i]; c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return s[i:]
		}
	}
	return ""
}

// cutValue splits a value off, with which the text begins after white space.
func cutValue(s string) (value, rest string) {
	s = skipSpace(s)
	end := 0
	switch s[0] {
	case '"':
		end = stringEnd(s)
	case '{', '[':
		end = nestedEnd(s)
	default:
		for end < len(s) && !strings.ContainsRune(",]} \t\n\r", rune(s[end])) {
			end++
		}
	}
	return s[:end], s[end:]
}

// stringEnd is the length of the string that the text begins with, quotes included.
func stringEnd(s string) int {
	for i := 1; ; i++ {
		i += strings.IndexByte(s[i:], '"')
		backslashes := 0
		for s[i-1-backslashes] == '\\' {
			backslashes++
		}
		if backslashes%2 == 0 {
			return i + 1
		}
	}
}

// nestedEnd is the length of the object or array that the text begins with.
func nestedEnd(s string) int {
	depth := 0
	for i := 0; ; i++ {
		switch s[i] {
		case '"':
			i += stringEnd(s[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// unquote is what a string says, "" for a value that is none.
func unquote(value string) string {
	if value[0] != '"' {
		return ""
	}
	if strings.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	return gjson.Parse(value).Str
}
