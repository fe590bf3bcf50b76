package record

import (
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/tidwall/gjson"
)

const (
	maxIDLength   = 128
	maxRoleLength = 64
)

// reader turns the fields of one line into a record. Fields hold JSON text, "" where the line has none. Its methods
// keep the first error and go on, so that what reads a record is a list of its fields.
type reader struct {
	kind, id, organizationID, userID, agentID, conversationID, knowledgeBaseID string
	createdAt, updatedAt, deletedAt, processedAt                               string
	role, usage, toolInvocations, parts, feedback                              string
	processingStatus, extractInputTokens, extractOutputTokens                  string
	extractTotalTokens, publicMetadata                                         string

	arena   *Arena
	ofTable bool   // the fields are a table's row: tools must hold both that tool calls follow from
	key     string // of that row
	tools   Tools  // set with the tool calls

	err *Error
}

// slot returns where the field of that name is kept, nil for one that no record has.
func (r *reader) slot(name string) *string {
	switch name {
	case "type":
		return &r.kind
	case "id":
		return &r.id
	case "organizationId":
		return &r.organizationID
	case "userId":
		return &r.userID
	case "agentId":
		return &r.agentID
	case "conversationId":
		return &r.conversationID
	case "knowledgeBaseId":
		return &r.knowledgeBaseID
	case "createdAt":
		return &r.createdAt
	case "updatedAt":
		return &r.updatedAt
	case "deletedAt":
		return &r.deletedAt
	case "processedAt":
		return &r.processedAt
	case "role":
		return &r.role
	case "usage":
		return &r.usage
	case "toolInvocations":
		return &r.toolInvocations
	case "parts":
		return &r.parts
	case "feedback":
		return &r.feedback
	case "processingStatus":
		return &r.processingStatus
	case "extractInputTokens":
		return &r.extractInputTokens
	case "extractOutputTokens":
		return &r.extractOutputTokens
	case "extractTotalTokens":
		return &r.extractTotalTokens
	case "publicMetadata":
		return &r.publicMetadata
	}
	return nil
}

// fail records what is wrong with a field, unless something else was wrong before.
func (r *reader) fail(field, reason string) {
	if r.err == nil {
		r.err = &Error{Field: field, Reason: reason}
	}
}

// wrong records, as fail does, what a field is and what it should be.
func (r *reader) wrong(field, raw, want string) {
	is := "missing"
	if raw != "" {
		is = excerpt(raw)
	}
	r.fail(field, "is "+is+", want "+want)
}

// absent reports whether a field is missing or null, which mean the same everywhere.
func absent(raw string) bool { return raw == "" || raw == "null" }

// text reads a string. It still lies in the line unless it had escapes to resolve.
func (r *reader) text(field, raw, want string) string {
	if raw == "" || raw[0] != '"' {
		r.wrong(field, raw, want)
		return ""
	}
	inner := raw[1 : len(raw)-1]
	if strings.IndexByte(inner, '\\') < 0 {
		return inner
	}
	if unpairedSurrogate(inner) {
		r.wrong(field, raw, "no half of a surrogate pair")
		return ""
	}
	return gjson.Parse(raw).Str
}

// identifier reads an id: a string, or an integer by its digits.
func (r *reader) identifier(field, raw string) string {
	const want = "a string of 1 to 128 bytes or an integer"
	id := raw
	if !isInteger(raw) {
		id = r.text(field, raw, want)
	}
	if len(id) < 1 || len(id) > maxIDLength {
		r.wrong(field, raw, want)
	}
	return id
}

// time reads a required time.
func (r *reader) time(field, raw string) int64 {
	text := r.text(field, raw, "an RFC 3339 date-time")
	if r.err != nil {
		return 0
	}
	ms, _, err := ParseTime(text)
	if err != nil {
		r.fail(field, excerpt(raw)+" "+err.Error())
	}
	return ms
}

// timeOr reads an optional time.
func (r *reader) timeOr(field, raw string, otherwise int64) int64 {
	if absent(raw) {
		return otherwise
	}
	return r.time(field, raw)
}

// deletion reads deletedAt.
func (r *reader) deletion() (at int64, deleted bool) {
	return r.timeOr("deletedAt", r.deletedAt, 0), !absent(r.deletedAt)
}

// detach copies texts out of the line into one allocation of their own.
func detach(texts ...*string) {
	length := 0
	for _, text := range texts {
		length += len(*text)
	}
	var all strings.Builder
	all.Grow(length)
	for _, text := range texts {
		all.WriteString(*text)
	}
	rest := all.String()
	for _, text := range texts {
		*text, rest = rest[:len(*text)], rest[len(*text):]
	}
}

// unpairedSurrogate reports whether the inside of a JSON string escapes half of a surrogate pair. That is no
// character, and whatever stood for it could make two different ids one.
func unpairedSurrogate(inner string) bool {
	high := false // the escape before is the first half of a pair
	for i := 0; i < len(inner); i++ {
		var r rune
		if inner[i] == '\\' {
			if i++; inner[i] == 'u' {
				code, _ := strconv.ParseUint(inner[i+1:i+5], 16, 16)
				r = rune(code)
				i += 4
			}
		}
		low := utf16.IsSurrogate(r) && r >= 0xdc00
		if high != low {
			return true
		}
		high = utf16.IsSurrogate(r) && !low
	}
	return high
}
