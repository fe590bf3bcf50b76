package record

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Row reads a row of a table, whose columns were turned into JSON text, by the rules that lines are read by.
type Row struct {
	reader
	of     Kind
	lsn    uint64
	unsent Fields
}

// NewRow begins a row that becomes a record of a kind, given the position of its change in the source's WAL and the
// row's key there.
func NewRow(kind Kind, lsn uint64, key string) *Row {
	r := reader{kind: `"` + kind.String() + `"`, ofTable: true, key: key, arena: NewArena(1)}
	return &Row{reader: r, of: kind, lsn: lsn}
}

// Set sets a field to its JSON text, which must be valid.
func (r *Row) Set(field, raw string) {
	switch {
	case !utf8.ValidString(raw):
		r.fail(field, "is not valid UTF-8")
	case tooDeep(raw):
		r.fail(field, fmt.Sprintf("nests objects or arrays more than %d levels deep", maxDepth))
	default:
		*r.slot(field) = raw
	}
}

// Reject records that a field is wrong, and why.
func (r *Row) Reject(field, reason string) { r.fail(field, reason) }

// Unsent records that the source did not send a field, because it did not change.
func (r *Row) Unsent(field string) {
	r.unsent |= cmp.Or(fieldsByName[field], FieldOther)
	if field == "publicMetadata" {
		r.publicMetadata = "{}"
	}
}

// Unknown records that something was not sent that no version before could supply.
func (r *Row) Unknown() { r.unsent |= FieldOther }

// Moved records that the version before is not known: only the source has what was not sent.
func (r *Row) Moved() {
	if r.unsent != 0 {
		r.unsent |= FieldOther
	}
}

// Record reads the record. The error is always an *Error. A record that lacks FieldOther has its key and version only.
func (r *Row) Record() (Record, error) {
	if r.unsent&FieldOther != 0 {
		return r.keyed(Version{LSN: r.lsn, Unsent: FieldOther})
	}
	rec, err := r.record()
	if err != nil {
		return nil, err
	}
	v := rec.version()
	v.LSN, v.Unsent = r.lsn, r.unsent
	return rec, nil
}

// Tombstone reads the record that says that the row was deleted, at a time in milliseconds since 1970.
func (r *Row) Tombstone(at int64) (Record, error) {
	return r.keyed(Version{LSN: r.lsn, Deleted: true, DeletedAt: at, Tombstone: true})
}

// keyed reads the record's key alone.
func (r *Row) keyed(v Version) (Record, error) {
	key := r.key
	if r.of.HasID() {
		key = strings.Clone(r.identifier("id", r.id))
	}
	if r.err != nil {
		r.err.Type = r.of.String()
		return nil, r.err
	}
	rec := kinds[r.of].keyed(key)
	*rec.version() = v
	return rec, nil
}
