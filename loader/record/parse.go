package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Parse reads one line, without its line feed; white space around the record and a carriage return do no harm.
// Fields that no record has are ignored, and of a key given twice the last value counts, as in JavaScript. The
// record shares no memory with line. The error is always an *Error.
func Parse(line []byte) (Record, error) { return NewArena(1).Parse(line) }

// Parse reads one line, as the function Parse does, into the arena.
func (a *Arena) Parse(line []byte) (Record, error) {
	r := reader{arena: a}
	// The fields are views of the line. All that is kept of them is cloned: texts by detach, reasons as they are built.
	whole := members(line, func(key, value string) {
		if slot := r.slot(key); slot != nil {
			*slot = value
		}
	})
	if whole {
		return r.record()
	}
	if reason := malformed(line); reason != "" {
		return nil, &Error{Reason: reason}
	}
	return nil, &Error{Reason: "the line is not a JSON object, want one record"}
}

// Blank reports whether a line holds nothing but white space, and so no record.
func Blank(line []byte) bool {
	return len(bytes.TrimLeft(line, " \t\r\n")) == 0
}

// malformed returns why a line is not valid JSON in valid UTF-8, "" where it is.
func malformed(line []byte) string {
	if tooDeep(string(line)) {
		return fmt.Sprintf("the line nests objects or arrays more than %d levels deep", maxDepth)
	}
	if err := json.Unmarshal(line, new(json.RawMessage)); err != nil {
		return fmt.Sprintf("the line is not valid JSON: %v", err)
	}
	if !utf8.Valid(line) {
		return "the line is not valid UTF-8"
	}
	return ""
}

// record reads the record that the fields describe.
func (r *reader) record() (Record, error) {
	name := r.text("type", r.kind, wantType)
	kind, ok := ParseKind(name)
	if !ok {
		r.wrong("type", r.kind, wantType)
		return nil, r.err
	}
	rec := r.read(kind)
	if r.err == nil {
		return rec, nil
	}
	id := r.id
	if !kind.HasID() {
		id = r.userID
	}
	r.err.Type, r.err.ID = kind.String(), readableID(id)
	return nil, r.err
}

// read reads the record of a kind. It is the one switch over kinds, complete by TestEveryKindIsRead: called through a
// table, the reader would be allocated for every line.
func (r *reader) read(kind Kind) Record {
	switch kind {
	case KindMessage:
		return r.message()
	case KindConversation:
		return r.conversation()
	case KindKBFile:
		return r.kbFile()
	case KindMember:
		return r.member()
	}
	panic("record: no reader for " + kind.String())
}

var wantType = KindNames(`"`)

// readableID returns a record's id for its error, "" where that is wrong itself.
func readableID(raw string) string {
	var r reader
	if id := r.identifier("", raw); r.err == nil {
		return strings.Clone(id)
	}
	return ""
}
