package wire

import "bytes"

// versionLine is what ends a request line. The zero byte stands for the minor version.
const versionLine = "HTTP/1.\x00\r"

// requestLine reads a method, a target and a version with one space between them.
func (s *Scanner) requestLine(p []byte) (int, *Fault) {
	switch s.state {
	case method:
		return s.method(p)
	case path, query:
		return s.target(p)
	case version:
		return 1, s.version(p[0])
	}
	n, fault := s.end(p[0], fieldStart)
	if fault == nil {
		fault = s.targetFits()
		s.wordLen = 0
	}
	return n, fault
}

func (s *Scanner) method(p []byte) (int, *Fault) {
	n := tokens.span(p)
	s.spell(p[:n])
	if n == len(p) {
		return n, nil
	}
	switch p[n] {
	case ' ':
		if s.wordLen == 0 {
			return 0, errRequestLine
		}
		s.state = path
		return n + 1, nil
	case '\r', '\n', '\t':
		return 0, errRequestLine
	}
	return 0, errMethod
}

// target reads the URL. Its first bytes are kept, because they say of which form it is.
func (s *Scanner) target(p []byte) (int, *Fault) {
	allowed := &paths
	if s.state == query {
		allowed = &queries
	}
	n := allowed.span(p)
	if s.capLen == 0 || s.captured[0] != '/' {
		s.capture(p[:n])
	}
	if n == len(p) {
		return n, nil
	}
	switch b := p[n]; b {
	case '?':
		s.capture(p[n : n+1])
		s.state = query
	case ' ':
		s.state, s.at = version, 0
	case '#':
		return 0, errFragment
	case '\r', '\n', '\t':
		return 0, errRequestLine
	default:
		return 0, errTargetByte
	}
	return n + 1, nil
}

// version reads HTTP/1.0 or HTTP/1.1, or a later one of the kind. Others mean other things by the lines that follow.
func (s *Scanner) version(b byte) *Fault {
	switch want := versionLine[s.at]; {
	case want == 0 && digit(b):
		s.old = b == '0'
	case want == '1' && digit(b) && b != '1':
		return errVersion
	case want == '\r' && b == '\n':
		return errBareLF
	case want == 0 || b != want:
		return errRequestLine
	}
	if s.at++; s.at == len(versionLine) {
		s.state = versionLF
	}
	return nil
}

// targetFits reports whether the URL has a form that the method may have (RFC 9112, section 3.2).
func (s *Scanner) targetFits() *Fault {
	target, whole := s.release()
	switch verb := string(s.word[:s.wordLen]); {
	case len(target) == 0:
		return errRequestLine
	case verb == "connect":
		if !whole || !bytes.ContainsRune(target, ':') || !validHost(target) {
			return errTarget
		}
	case target[0] == '/':
	case string(target) == "*":
		if verb != "options" {
			return errTarget
		}
	default:
		return absolute(target, whole)
	}
	return nil
}

// absolute checks a whole URL, which names a host, and no user.
func absolute(target []byte, whole bool) *Fault {
	scheme, rest, ok := bytes.Cut(target, []byte("://"))
	if !ok || !bytes.EqualFold(scheme, []byte("http")) && !bytes.EqualFold(scheme, []byte("https")) {
		return errTarget
	}
	host := rest
	if end := bytes.IndexAny(rest, "/?"); end >= 0 {
		host, whole = rest[:end], true
	}
	if !whole || len(host) == 0 || host[0] == ':' || !validHost(host) {
		return errHost
	}
	return nil
}
