package postgres

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/tidwall/gjson"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/record"
)

// table is a mapped table as the source has it.
type table struct {
	mapping.Table
	id          uint32 // the table's oid
	partitioned bool
	owned       bool        // by the role
	partitions  []partition // that hold its rows, or the table itself
	encoding    *encoding   // of the database's texts
	columns     []column    // those that fields or the key come from
	key         []int       // places in columns of those that tell rows apart
	shared      bool        // several rows may give one record: which one it is, the source must be asked
	fields      []field
}

// column is a column that is read.
type column struct {
	name      string
	kind      kind
	typeName  string // as SQL writes it
	generated bool   // it is computed from others
}

// field is where a field of the record comes from.
type field struct {
	mapping.Field
	column int // place in columns; -1: a constant
}

// sqlName is the table's name as SQL needs it.
func (t *table) sqlName() string { return pgx.Identifier{t.Schema, t.Name}.Sanitize() }

// value is what the source tells of a column of a row.
type value struct {
	state byte // 'n': NULL, 'u': unchanged and not sent, 't': text
	text  []byte
}

const (
	valueNull      = 'n'
	valueUnchanged = 'u'
	valueText      = 't'
)

// view is the text, which lives only as long as the message that it came with.
func (v value) view() string { return unsafe.String(unsafe.SliceData(v.text), len(v.text)) }

// keyOf is the text that tells the row apart from others of the table: its id or, for a member, whatever its key is.
func (t *table) keyOf(values []value) string {
	if len(t.key) == 1 {
		return strings.Clone(t.keyPart(values, 0))
	}
	parts := make([]string, len(t.key))
	for i := range t.key {
		parts[i] = quote(t.keyPart(values, i))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (t *table) keyPart(values []value, i int) string {
	text := values[t.key[i]].view()
	if t.columns[t.key[i]].kind == kindPadded {
		text = strings.TrimRight(text, " ")
	}
	return text
}

// row reads the fields of a row. Values are in step with the table's columns.
func (t *table) row(values []value, position uint64) *record.Row {
	row := record.NewRow(t.Record, position, t.keyOf(values))
	usage := usage{}
	for i := range t.fields {
		f := &t.fields[i]
		raw, sent := t.raw(f, values)
		switch {
		case sent && t.isNoNumber(f, values):
			row.Reject(f.Name, "is "+values[f.column].view()+", want a number")
		case slices.Contains(mapping.UsageFields, f.Name):
			usage.set(f.Name, raw, sent)
		case sent:
			row.Set(f.Name, raw)
		default:
			row.Unsent(f.Name)
		}
	}
	usage.give(row)
	return row
}

// isNoNumber reports whether a column of numbers has NaN or an infinity, which JSON has no numbers for.
func (t *table) isNoNumber(f *field, values []value) bool {
	return f.column >= 0 && f.Path == nil && values[f.column].state == valueText && t.columns[f.column].kind == kindFloat &&
		strings.ContainsAny(values[f.column].view(), "NI")
}

// raw is the JSON text of a field, unless its column was not sent.
func (t *table) raw(f *field, values []value) (raw string, sent bool) {
	if f.column < 0 {
		return f.Constant, true
	}
	switch v := values[f.column]; v.state {
	case valueNull:
		return "null", true
	case valueUnchanged:
		return "", false
	default:
		raw = t.columns[f.column].kind.json(v.view())
	}
	if f.Path == nil {
		return raw, true
	}
	return at(raw, f.Path), true
}

// at is what lies at a path in JSON text, null where nothing does.
func at(raw string, path []string) string {
	for _, key := range path {
		found := "null"
		if object := gjson.Parse(raw); object.IsObject() {
			object.ForEach(func(k, v gjson.Result) bool {
				if k.Str == key {
					found = v.Raw
				}
				return true
			})
		}
		raw = found
	}
	return raw
}

// usage gathers the tokens of a message that come one by one.
type usage struct {
	text    string
	unknown bool
}

func (u *usage) set(name, raw string, sent bool) {
	if !sent {
		u.unknown = true
		return
	}
	if u.text != "" {
		u.text += ","
	}
	u.text += `"` + name + `":` + raw
}

func (u *usage) give(row *record.Row) {
	if u.unknown {
		row.Unknown()
	}
	if u.text != "" {
		row.Set("usage", "{"+u.text+"}")
	}
}

// stub reads what a deletion tells of a row: its key.
func (t *table) stub(values []value, position uint64) *record.Row {
	row := record.NewRow(t.Record, position, t.keyOf(values))
	if id := t.Field("id"); id != nil {
		c := &t.columns[t.key[0]]
		row.Set("id", c.kind.json(values[t.key[0]].view()))
	}
	return row
}
