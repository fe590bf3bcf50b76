package wire

import (
	"bytes"
	"strings"
)

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
	tokens = classOf(func(b byte) bool { return alphanumeric(b) || strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0 })
	// values are what headers may say: anything visible, spaces, tabs, and bytes beyond ASCII (RFC 9110, section 5.5).
	values = classOf(func(b byte) bool { return b == '\t' || b >= ' ' && b != 0x7f })
	// queries are what may stand in a URL. Bytes that should be percent-encoded, but that nobody can read as anything
	// else, are left to whoever reads the parameters.
	queries = classOf(func(b byte) bool { return b > ' ' && b != 0x7f })
	// paths are what may stand in a URL before its query.
	paths = classOf(func(b byte) bool { return queries[b] && b != '?' && b != '#' })
	// names are what a host's name is made of, but for percent-encoded bytes (RFC 3986, section 3.2.2).
	names = classOf(func(b byte) bool { return alphanumeric(b) || strings.IndexByte("-._~!$&'()*+,;=", b) >= 0 })
)

func alphanumeric(b byte) bool { return digit(b) || 'a' <= lower(b) && lower(b) <= 'z' }

func digit(b byte) bool { return '0' <= b && b <= '9' }

func hexadecimal(b byte) bool { return digit(b) || 'a' <= lower(b) && lower(b) <= 'f' }

// digits reports whether a text is made of digits only, if of anything.
func digits(text []byte) bool {
	return !bytes.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
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
