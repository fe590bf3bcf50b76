package wire

const (
	// maxSizeDigits bounds a chunk's size; leading zeros count.
	maxSizeDigits = 8
	// rawPerByte is how many bytes a chunked body may have for each that a body may have at most. Chunks of a few bytes
	// are mostly frame, and extensions and trailers have no end otherwise.
	rawPerByte = 4
)

// fixedBody consumes a body whose length the head states.
func (s *Scanner) fixedBody(p []byte) (int, *Fault) {
	n := int(min(int64(len(p)), s.left))
	if s.left -= int64(n); s.left == 0 {
		s.state = complete
	}
	return n, nil
}

// chunked reads a chunked body up to its trailer (RFC 9112, section 7.1).
func (s *Scanner) chunked(p []byte) (int, *Fault) {
	switch s.state {
	case chunkStart:
		if !hexadecimal(p[0]) {
			return 0, errChunk
		}
		s.state, s.at, s.left = chunkSize, 0, 0
		return 0, nil
	case chunkSize:
		return s.size(p[0])
	case chunkExt:
		return s.extension(p)
	case chunkLF:
		if p[0] != '\n' {
			return 0, errChunk
		}
		return 1, s.beginChunk()
	case chunkData:
		n := int(min(int64(len(p)), s.left))
		if s.left -= int64(n); s.left == 0 {
			s.state = chunkDataCR
		}
		return n, nil
	case chunkDataCR:
		return s.frame(p[0], '\r', chunkDataLF)
	}
	return s.frame(p[0], '\n', chunkStart)
}

// frame consumes the byte that must follow the data of a chunk.
func (s *Scanner) frame(b, want byte, next state) (int, *Fault) {
	if b != want {
		return 0, errChunk
	}
	s.state = next
	return 1, nil
}

// size consumes a digit of a chunk's size, or what ends it.
func (s *Scanner) size(b byte) (int, *Fault) {
	switch {
	case hexadecimal(b):
		if s.at++; s.at > maxSizeDigits {
			return 0, errChunk
		}
		s.left = s.left<<4 | int64(nibble(b))
		return 1, nil
	case b == '\r':
		s.state = chunkLF
		return 1, nil
	case b == ';':
		s.state = chunkExt
		return 0, nil
	}
	return 0, errChunk
}

func nibble(b byte) byte {
	if digit(b) {
		return b - '0'
	}
	return lower(b) - 'a' + 10
}

// extension consumes what may stand behind a chunk's size, up to the end of the line.
func (s *Scanner) extension(p []byte) (int, *Fault) {
	n := values.span(p)
	if n == len(p) {
		return n, nil
	}
	if p[n] != '\r' {
		return 0, errChunk
	}
	s.state = chunkSize // which consumes the CR
	return n, nil
}

func (s *Scanner) beginChunk() *Fault {
	if s.data += s.left; s.data > s.MaxBody {
		return errBody
	}
	s.state = chunkData
	if s.left == 0 {
		s.state, s.trailer = fieldStart, true
	}
	return nil
}
