package record

const (
	// maxDepth keeps the recursion over nested JSON far away from the end of the stack.
	maxDepth = 10_000
	// safeLength is the length up to which no valid line nests deeper, since each level takes two bytes, and no
	// invalid one recurses deep enough to matter.
	safeLength = 2 * maxDepth
)

// deeperThan reports whether JSON text opens more than limit objects and arrays within each other. Up to the first
// mistake in the text, it sees strings just as a parser does, so it bounds a parser's recursion for any text.
func deeperThan(text []byte, limit int) bool {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"':
			for i++; i < len(text) && text[i] != '"'; i++ {
				if text[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			if depth++; depth > limit {
				return true
			}
		case '}', ']':
			depth--
		}
	}
	return false
}
