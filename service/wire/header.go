package wire

// header reads lines of a name, a colon and a value, and the empty one behind the last.
func (s *Scanner) header(p []byte) (int, *Fault) {
	switch s.state {
	case fieldStart:
		return s.fieldStart(p[0])
	case name:
		return s.name(p)
	case valueStart:
		return s.valueStart(p)
	case value:
		return s.value(p)
	case valueLF:
		return s.end(p[0], fieldStart)
	}
	n, fault := s.end(p[0], complete)
	if fault == nil && !s.trailer {
		fault = s.finishHead()
	}
	return n, fault
}

// fieldStart looks at the header before, too, which ends where the next line does not go on with it.
func (s *Scanner) fieldStart(b byte) (int, *Fault) {
	switch b {
	case ' ', '\t':
		return 0, errFolded
	case '\n':
		return 0, errBareLF
	}
	if fault := s.finishField(); fault != nil {
		return 0, fault
	}
	if b == '\r' {
		s.state = headLF
		return 1, nil
	}
	if s.fields++; s.fields > maxFields {
		return 0, errFields
	}
	s.state = name
	return 0, nil
}

func (s *Scanner) name(p []byte) (int, *Fault) {
	n := tokens.span(p)
	s.spell(p[:n])
	if n == len(p) {
		return n, nil
	}
	switch p[n] {
	case ':':
		if s.wordLen == 0 {
			return 0, errNoName
		}
		s.field, s.wordLen = s.fieldOf(), 0
		s.state = valueStart
		return n + 1, nil
	case ' ', '\t':
		return 0, errSpace
	case '\r', '\n':
		return 0, errColon
	}
	return 0, errName
}

// valueStart consumes the space before a value. Tabs become spaces, which is the same, because the parser knows no
// others.
func (s *Scanner) valueStart(p []byte) (int, *Fault) {
	for i, b := range p {
		switch b {
		case ' ':
		case '\t':
			p[i] = ' '
		default:
			s.state = value
			return i, nil
		}
	}
	return len(p), nil
}

func (s *Scanner) value(p []byte) (int, *Fault) {
	n := values.span(p)
	if s.field != otherField {
		s.capture(p[:n])
	}
	if n == len(p) {
		return n, nil
	}
	switch p[n] {
	case '\r':
		s.state = valueLF
		return n + 1, nil
	case '\n':
		return 0, errBareLF
	}
	return 0, errValue
}
