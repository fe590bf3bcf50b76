package record

import "strings"

// unpairedSurrogate reports whether the inside of a JSON string escapes half of a surrogate pair. That is no
// character, and whatever stood for it could make two different ids one.
func unpairedSurrogate(inner string) bool {
	high := false
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' || inner[i+1] != 'u' {
			if high {
				return true
			}
			if inner[i] == '\\' {
				i++
			}
			continue
		}
		low := isLowSurrogate(inner[i+2 : i+6])
		if high != low {
			return true
		}
		high = isHighSurrogate(inner[i+2 : i+6])
		i += 5
	}
	return high
}

// isHighSurrogate reports whether four hexadecimal digits are the first half of a surrogate pair.
func isHighSurrogate(hex string) bool {
	return (hex[0] == 'd' || hex[0] == 'D') && strings.IndexByte("89abAB", hex[1]) >= 0
}

// isLowSurrogate reports whether four hexadecimal digits are the second half of a surrogate pair.
func isLowSurrogate(hex string) bool {
	return (hex[0] == 'd' || hex[0] == 'D') && strings.IndexByte("cdefCDEF", hex[1]) >= 0
}
