package record

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Row reads a row of a table, whose columns were turned into JSON text, by the rules that lines are read by.
type Row struct {
	reader
	position uint64
	key      string
	kept     Fields
}

// Kinds are the types of records.
var Kinds = []string{"conversation", "message", "kbFile", "member"}

// NewRow begins a row that gives a record of a kind. Position is its place in the source's log, key the row's key
// there.
func NewRow(kind string, position uint64, key string) *Row {
	return &Row{reader: reader{kind: `"` + kind + `"`, ofTable: true, space: NewSpace(1)}, position: position, key: key}
}

// HasField tells whether a name is that of a field of some record.
func HasField(name string) bool { return name != "type" && new(reader).slot(name) != nil }

// Set gives a field its JSON text, which must be valid.
func (r *Row) Set(field, raw string) {
	switch {
	case !utf8.ValidString(raw):
		r.fail(field, "is not valid UTF-8")
	case len(raw) > safeLength && deeperThan([]byte(raw), maxDepth):
		r.fail(field, fmt.Sprintf("nests objects or arrays more than %d levels deep", maxDepth))
	default:
		*r.slot(field) = raw
	}
}

// Reject says that a field is wrong, and why.
func (r *Row) Reject(field, reason string) { r.fail(field, reason) }

// Keep says that the source did not send a field, because it did not change.
func (r *Row) Keep(field string) {
	switch field {
	case "parts":
		r.kept |= KeptParts
	case "toolInvocations":
		r.kept |= KeptToolInvocations
	case "usage":
		r.kept |= KeptUsage
	case "feedback":
		r.kept |= KeptFeedback
	case "publicMetadata":
		r.kept |= KeptMetadata
		r.publicMetadata = "{}"
	default:
		r.kept |= KeptUnknown
	}
}

// Unknown says that something was not sent that no version before could give.
func (r *Row) Unknown() { r.kept |= KeptUnknown }

// Moved says that the version before is not known: what was not sent is in nobody's hands but the source's.
func (r *Row) Moved() {
	if r.kept != 0 {
		r.kept |= KeptUnknown
	}
}

// Record reads the record. The error is always an *Error. A record of which KeptUnknown is missing has its key and
// position only.
func (r *Row) Record() (Record, error) {
	if r.kept&KeptUnknown != 0 {
		return r.stub(KeptUnknown)
	}
	rec, err := r.record()
	if err != nil {
		return nil, err
	}
	switch rec := rec.(type) {
	case *Conversation:
		rec.LogPosition = r.position
	case *Message:
		rec.LogPosition, rec.Kept = r.position, r.kept
		rec.Tools = r.tools
	case *KBFile:
		rec.LogPosition = r.position
	case *Member:
		rec.LogPosition, rec.Kept, rec.SourceKey = r.position, r.kept, r.key
	}
	return rec, nil
}

// Deletion reads the record that says that the row was deleted, in milliseconds since 1970.
func (r *Row) Deletion(at int64) (Record, error) {
	rec, err := r.stub(KeptAll)
	if err == nil {
		markDeleted(rec, at)
	}
	return rec, err
}

// Deletion is the record that says that one of a kind was deleted, in milliseconds since 1970. The key is the record's
// id or, for a member, the key of its row.
func Deletion(kind, key string, position uint64, at int64) Record {
	rec := stub(kind, key, position, KeptAll)
	markDeleted(rec, at)
	return rec
}

func markDeleted(rec Record, at int64) {
	switch rec := rec.(type) {
	case *Conversation:
		rec.Deleted, rec.DeletedAt = true, at
	case *Message:
		rec.Deleted, rec.DeletedAt = true, at
	case *KBFile:
		rec.Deleted, rec.DeletedAt = true, at
	case *Member:
		rec.Deleted, rec.DeletedAt = true, at
	}
}

// stub is a record that has its key and position only.
func (r *Row) stub(kept Fields) (Record, error) {
	kind := strings.Trim(r.kind, `"`)
	if kind == "member" {
		return stub(kind, r.key, r.position, kept), nil
	}
	id := strings.Clone(r.identifier("id", r.id))
	if r.err != nil {
		r.err.Type = kind
		return nil, r.err
	}
	return stub(kind, id, r.position, kept), nil
}

func stub(kind, key string, position uint64, kept Fields) Record {
	switch kind {
	case "conversation":
		return &Conversation{ID: key, LogPosition: position, Kept: kept}
	case "message":
		return &Message{ID: key, LogPosition: position, Kept: kept}
	case "kbFile":
		return &KBFile{ID: key, LogPosition: position, Kept: kept}
	case "member":
		return &Member{SourceKey: key, LogPosition: position, Kept: kept}
	}
	panic("record: unknown kind " + kind)
}
