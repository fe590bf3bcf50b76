// Package wire checks the bytes of HTTP/1 requests as they arrive, before they are parsed. What it lets through can be
// read in one way only, and what can't be answered is known for that at its first wrong byte, so that nobody waits for
// the rest of what will never come.
//
// It is stricter than HTTP allows where leniency has made servers and the proxies before them disagree on where a
// request ends: a line ends with CR LF and not with LF alone, and says once how long a body is.
package wire

const (
	// maxEmptyLines may stand before a request: some clients end a body with one that does not belong to it.
	maxEmptyLines = 4
	// maxFields bounds the headers of a request, each of which takes more memory than it has bytes.
	maxFields = 256
	// maxCaptured bounds what is kept of a header's value or a URL, to look at it as a whole. No host's name is longer.
	maxCaptured = 255 + len(":65535")
)

// state is what the next byte belongs to.
type state uint8

const (
	before      state = iota // the request, or an empty line before it
	beforeLF                 // the end of such a line
	method                   // the request line
	path                     //
	query                    //
	version                  //
	versionLF                //
	fieldStart               // a header, or the empty line behind the last one
	name                     //
	valueStart               //
	value                    //
	valueLF                  //
	headLF                   // the end of the head or of the trailer
	body                     // a body of known length
	chunkStart               // a chunked body
	chunkSize                //
	chunkExt                 //
	chunkLF                  //
	chunkData                //
	chunkDataCR              //
	chunkDataLF              //
	complete                 // nothing of the request
)

// Scanner follows one request through the bytes of a connection. Its zero value, but for MaxBody, begins at a request.
type Scanner struct {
	MaxBody int64 // bytes that a body may have

	state      state
	emptyLines int
	fields     int
	seen       seen
	field      field // that is being read
	old        bool  // HTTP/1.0
	hasBody    bool
	trailer    bool // the fields are those behind a chunked body
	close      bool // the client wants the connection closed
	more       bool // bytes came behind the request

	at   int   // how far it is in the version, or in a chunk's size
	left int64 // bytes of the body or of the chunk that are to come
	data int64 // bytes of the chunks so far
	raw  int64 // bytes of the chunked body so far, with all that is around the data

	word     [20]byte // the method or the header's name in lower case, as far as there is room
	wordLen  int
	captured [maxCaptured]byte
	capLen   int
	overflow bool // there was more to capture
}

// Scan checks bytes that have arrived, and returns how many of them are kept: it moves them to the beginning of p.
// Empty lines before a request, and extensions and trailers of a chunked body, which mean nothing here, are left out,
// so that nobody reads them in another way.
func (s *Scanner) Scan(p []byte) (kept int, fault *Fault) {
	for i := 0; i < len(p); {
		if s.state == complete {
			s.more = true
			return kept + copy(p[kept:], p[i:]), nil
		}
		dropped := s.drops()
		n, fault := s.step(p[i:])
		if fault != nil {
			return kept, fault
		}
		if !dropped {
			if kept != i {
				copy(p[kept:], p[i:i+n])
			}
			kept += n
		}
		i += n
		if fault = s.weigh(n); fault != nil {
			return kept, fault
		}
	}
	return kept, nil
}

// weigh bounds what comes as a chunked body.
func (s *Scanner) weigh(n int) *Fault {
	if s.seen.coding && s.hasBody {
		if s.raw += int64(n); s.raw > rawPerByte*s.MaxBody {
			return errBody
		}
	}
	return nil
}

// drops reports whether the bytes of the state are left out.
func (s *Scanner) drops() bool {
	switch s.state {
	case before, beforeLF, chunkExt: // a request's first byte is consumed by the state after before
		return true
	case name, valueStart, value, valueLF:
		return s.trailer
	}
	return false
}

// step consumes as many bytes as belong to the state, none where another state consumes the first.
func (s *Scanner) step(p []byte) (int, *Fault) {
	switch s.state {
	case before, beforeLF:
		return s.emptyLine(p[0])
	case method, path, query, version, versionLF:
		return s.requestLine(p)
	case fieldStart, name, valueStart, value, valueLF, headLF:
		return s.header(p)
	case body:
		return s.fixedBody(p)
	}
	return s.chunked(p)
}

func (s *Scanner) emptyLine(b byte) (int, *Fault) {
	switch {
	case s.state == beforeLF:
		s.emptyLines++
		return s.end(b, before)
	case b == '\r' && s.emptyLines == maxEmptyLines:
		return 0, errEmptyLines
	case b == '\r':
		s.state = beforeLF
		return 1, nil
	case b == '\n':
		return 0, errBareLF
	}
	s.state = method
	return 0, nil
}

// end consumes the LF that ends a line.
func (s *Scanner) end(b byte, next state) (int, *Fault) {
	if b != '\n' {
		return 0, errBareCR
	}
	s.state = next
	return 1, nil
}

// capture keeps bytes, as far as there is room.
func (s *Scanner) capture(p []byte) {
	n := copy(s.captured[s.capLen:], p)
	s.capLen += n
	s.overflow = s.overflow || n < len(p)
}

// release returns what was captured, and resets it.
func (s *Scanner) release() (text []byte, whole bool) {
	text, whole = s.captured[:s.capLen], !s.overflow
	s.capLen, s.overflow = 0, false
	return text, whole
}

// spell keeps the bytes of a word, as far as there is room, in lower case.
func (s *Scanner) spell(p []byte) {
	for _, b := range p[:min(len(p), len(s.word)-s.wordLen)] {
		s.word[s.wordLen] = lower(b)
		s.wordLen++
	}
}

// Begun reports whether bytes of a request have come.
func (s *Scanner) Begun() bool { return s.state > beforeLF }

// Complete reports whether all of the request has come.
func (s *Scanner) Complete() bool { return s.state == complete }

// Alone reports whether the request is complete and was all that came, without a body.
func (s *Scanner) Alone() bool { return s.state == complete && !s.more && !s.hasBody }

// Close reports whether the client wants the connection closed behind the answer.
func (s *Scanner) Close() bool { return s.close }

// Next begins at another request.
func (s *Scanner) Next() { *s = Scanner{MaxBody: s.MaxBody} }
