package wire

// class is a set of bytes.
type class [256]bool

func classOf(allowed func(b byte) bool) (c class) {
	for b := range 256 {
		c[b] = allowed(byte(b))
	}
	return c
}

var (
	// tokens are what methods and names of headers are made of (RFC 9110, section 5.6.2).
	tokens = classOf(func(b byte) bool { return alphanumeric(b) || among(b, "!#$%&'*+-.^_`|~") })
	// values are what headers may say: anything visible, spaces, tabs, and bytes beyond ASCII (RFC 9110, section 5.5).
	values = classOf(func(b byte) bool { return b == '\t' || b >= ' ' && b != 0x7f })
	// queries are what may stand in a URL. Bytes that should be percent-encoded, but that nobody can take for anything
	// else, are left to whoever reads the parameters.
	queries = classOf(func(b byte) bool { return b > ' ' && b != 0x7f })
	// paths are what may stand in a URL before its query.
	paths = classOf(func(b byte) bool { return queries[b] && b != '?' && b != '#' })
	// names are what a host's name is made of, but for percent-encoded bytes (RFC 3986, section 3.2.2).
	names = classOf(func(b byte) bool { return alphanumeric(b) || among(b, "-._~!$&'()*+,;=") })
)

func alphanumeric(b byte) bool { return digit(b) || 'a' <= lower(b) && lower(b) <= 'z' }

func digit(b byte) bool { return '0' <= b && b <= '9' }

func hexadecimal(b byte) bool { return digit(b) || 'a' <= lower(b) && lower(b) <= 'f' }

func among(b byte, set string) bool {
	for i := range len(set) {
		if set[i] == b {
			return true
		}
	}
	return false
}

// lower returns a letter lower-case. Other bytes of tokens don't become letters by it.
func lower(b byte) byte { return b | 0x20 }

// span returns how many bytes at the beginning of p are in the class.
func (c *class) span(p []byte) int {
	for i, b := range p {
		if !c[b] {
			return i
		}
	}
	return len(p)
}
