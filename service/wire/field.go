package wire

import (
	"bytes"
	"net/netip"
	"strconv"
)

// field is one of the headers that decide where a request ends, or for whom it is.
type field uint8

const (
	otherField field = iota
	hostField
	lengthField
	codingField
	expectField
	connectionField
)

// seen says which headers came.
type seen struct{ host, length, coding bool }

// maxDigits is how many digits a Content-Length may have: more are more than any number of bytes.
const maxDigits = 18

var fieldNames = map[string]field{
	"host": hostField, "content-length": lengthField, "transfer-encoding": codingField, "expect": expectField, "connection": connectionField,
}

// fieldOf returns which header the name that was read belongs to. Those of a trailer decide nothing.
func (s *Scanner) fieldOf() field {
	if s.trailer {
		return otherField
	}
	return fieldNames[string(s.word[:s.wordLen])]
}

func (s *Scanner) finishField() *Fault {
	last := s.field
	if last == otherField {
		return nil
	}
	s.field = otherField
	text, whole := s.release()
	text = bytes.Trim(text, " \t")
	switch last {
	case hostField:
		return s.host(text, whole)
	case lengthField:
		return s.length(text, whole)
	case codingField:
		return s.coding(text, whole)
	case expectField:
		if !s.old && !(whole && bytes.EqualFold(text, []byte("100-continue"))) {
			return errExpectation
		}
	case connectionField:
		s.close = s.close || !whole || listed(text, "close")
	}
	return nil
}

func (s *Scanner) host(text []byte, whole bool) *Fault {
	if s.seen.host {
		return errTwoHosts
	}
	s.seen.host = true
	if !whole || !validHost(text) {
		return errHost
	}
	return nil
}

// length reads a Content-Length. Two that agree are refused as well: who sends them has lost count of what it sends.
func (s *Scanner) length(text []byte, whole bool) *Fault {
	if s.seen.length || s.seen.coding {
		return errTwice
	}
	s.seen.length = true
	switch {
	case len(text) == 0 || !digits(text):
		return errLength
	case len(text) > maxDigits || !whole:
		return errBody
	}
	s.left, _ = strconv.ParseInt(string(text), 10, 64) // it is digits, and not too many
	return nil
}

// coding reads a Transfer-Encoding. What does not end in chunked has no end that could be known.
func (s *Scanner) coding(text []byte, whole bool) *Fault {
	if s.seen.length || s.seen.coding {
		return errTwice
	}
	s.seen.coding = true
	chunked := []byte("chunked")
	if bytes.EqualFold(text, chunked) {
		return nil
	}
	first, last := []byte(nil), text
	if i := bytes.LastIndexByte(text, ','); i >= 0 {
		first, last = text[:i], bytes.Trim(text[i+1:], " \t")
	}
	if !whole || !bytes.EqualFold(last, chunked) || listed(first, "chunked") {
		return errCoding
	}
	return errUnknownCoding
}

// listed reports whether a list with commas names something, in whatever case.
func listed(list []byte, what string) bool {
	for item := range bytes.SplitSeq(list, []byte{','}) {
		if bytes.EqualFold(bytes.Trim(item, " \t"), []byte(what)) {
			return true
		}
	}
	return false
}

// finishHead sets what follows the head.
func (s *Scanner) finishHead() *Fault {
	switch {
	case !s.old && !s.seen.host:
		return errNoHost
	case s.seen.coding && s.old:
		return errCodingBefore11
	case s.seen.coding:
		s.state, s.hasBody = chunkStart, true
	case s.left > s.MaxBody:
		return errBody
	case s.left > 0:
		s.state, s.hasBody = body, true
	}
	return nil
}

// validHost reports whether a text is a host, with a port or without, or nothing.
func validHost(text []byte) bool {
	end := 0
	if len(text) > 0 && text[0] == '[' {
		end = bytes.IndexByte(text, ']') + 1
		if end == 0 {
			return false
		}
		address, err := netip.ParseAddr(string(text[1 : end-1]))
		if err != nil || !address.Is6() || address.Zone() != "" {
			return false
		}
	} else if end = nameEnd(text); end < 0 {
		return false
	}
	if end == len(text) {
		return true
	}
	return text[end] == ':' && digits(text[end+1:])
}

// nameEnd returns where a host's name ends, and -1 where it is no name because of a % without two hexadecimal digits.
func nameEnd(text []byte) int {
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case names[b]:
		case b == '%':
			if i+2 >= len(text) || !hexadecimal(text[i+1]) || !hexadecimal(text[i+2]) {
				return -1
			}
			i += 2
		default:
			return i
		}
	}
	return len(text)
}
