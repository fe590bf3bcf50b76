package source

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/jackc/pgx/v5"
	"github.com/tidwall/gjson"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/record"
)

// Table is a mapped table as the source has it.
type Table struct {
	mapping.Table
	OID           uint32 // the table's oid
	Partitioned   bool
	owned         bool        // by the role
	Partitions    []Partition // that hold its rows, or the table itself
	Encoding      *encoding   // of the database's texts
	Columns       []Column    // those that fields or the key come from
	Key           []int       // indexes in Columns of those that identify rows
	SharesRecords bool        // several rows may make one record: the source must be queried for it
	Sources       []Field
}

// Column is a column that is read.
type Column struct {
	Name string
	Attribute
}

// Field is where a field of the record comes from.
type Field struct {
	mapping.Field
	Index int // in Columns; -1: a constant
}

// SQLName returns the table's name as SQL needs it.
func (t *Table) SQLName() string { return pgx.Identifier{t.Schema, t.Name}.Sanitize() }

// Value is what the source sends for a column of a row.
type Value struct {
	State byte // 'n': NULL, 'u': unchanged and not sent, 't': text
	Text  []byte
}

const (
	ValueNull      = 'n'
	valueUnchanged = 'u'
	ValueText      = 't'
)

// view returns the text, which lives only as long as the message that it came with.
func (v Value) view() string { return unsafe.String(unsafe.SliceData(v.Text), len(v.Text)) }

// KeyOf returns the text that identifies the row within the table: its id or, for a member, whatever its key
// is.
func (t *Table) KeyOf(values []Value) string {
	if len(t.Key) == 1 {
		return strings.Clone(t.keyPart(values, 0))
	}
	parts := make([]string, len(t.Key))
	for i := range t.Key {
		parts[i] = quote(t.keyPart(values, i))
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (t *Table) keyPart(values []Value, i int) string {
	text := values[t.Key[i]].view()
	if t.Columns[t.Key[i]].Kind == kindPadded {
		text = strings.TrimRight(text, " ")
	}
	return text
}

// Row reads the fields of a row. Values are in step with the table's columns.
func (t *Table) Row(values []Value, position uint64) *record.Row {
	row := record.NewRow(t.Record, position, t.KeyOf(values))
	var usage []string // the tokens of a message that come one by one
	for i := range t.Sources {
		f := &t.Sources[i]
		raw, sent := t.raw(f, values)
		switch {
		case sent && t.isNotANumber(f, values):
			row.Reject(f.Name, "is "+values[f.Index].view()+", want a number")
		case slices.Contains(mapping.UsageFields, f.Name) && sent:
			usage = append(usage, `"`+f.Name+`":`+raw)
		case slices.Contains(mapping.UsageFields, f.Name):
			row.Unknown()
		case sent:
			row.Set(f.Name, raw)
		default:
			row.Unsent(f.Name)
		}
	}
	if len(usage) > 0 {
		row.Set("usage", "{"+strings.Join(usage, ",")+"}")
	}
	return row
}

// isNotANumber reports whether a column of numbers has NaN or an infinity, which JSON has no numbers for.
func (t *Table) isNotANumber(f *Field, values []Value) bool {
	return f.Index >= 0 && f.Path == nil && values[f.Index].State == ValueText && t.Columns[f.Index].Kind == kindFloat &&
		strings.ContainsAny(values[f.Index].view(), "NI")
}

// raw returns the JSON text of a field, unless its column was not sent.
func (t *Table) raw(f *Field, values []Value) (raw string, sent bool) {
	if f.Index < 0 {
		return f.Constant, true
	}
	switch v := values[f.Index]; v.State {
	case ValueNull:
		return "null", true
	case valueUnchanged:
		return "", false
	default:
		raw = t.Columns[f.Index].Kind.json(v.view())
	}
	if f.Path == nil {
		return raw, true
	}
	return at(raw, f.Path), true
}

// at returns what lies at a path in JSON text, null where nothing does.
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

// KeyRow reads what a deletion holds of a row: its key.
func (t *Table) KeyRow(values []Value, position uint64) *record.Row {
	row := record.NewRow(t.Record, position, t.KeyOf(values))
	if t.Field("id") != nil {
		row.Set("id", t.Columns[t.Key[0]].Kind.json(values[t.Key[0]].view()))
	}
	return row
}

// SelectList returns the table's columns as text, or the bytes of that in an encoding that is converted here, in their
// order.
func (t *Table) SelectList() string {
	var list []string
	for i := range t.Columns {
		list = append(list, t.Encoding.expression(Identifier(t.Columns[i].Name)+"::text"))
	}
	return strings.Join(list, ", ")
}
