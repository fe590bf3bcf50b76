// Package mapping says how rows of PostgreSQL's tables become records: which table holds which kind of record, and
// where each field comes from.
package mapping

import (
	_ "embed" // the default mapping
	"slices"
	"strings"

	"github.com/orgstats/orgstats/loader/record"
)

// DefaultText is the mapping of the platform's own tables.
//
//go:embed default.yaml
var DefaultText []byte

// Mapping is a set of tables, at most one for each kind of record.
type Mapping struct{ Tables []Table }

// Table is a table whose rows are records of one kind.
type Table struct {
	Schema, Name string
	Record       record.Kind
	Fields       []Field
	Line         int // where it stands in the file
}

// Field is where a field of a record comes from: a column, what lies at a path in a column of JSON, or a constant.
type Field struct {
	Name     string
	Column   string
	Path     []string // nil: the whole column
	Constant string   // JSON text; "" where there is a column
	Line     int
}

// Default returns the mapping of the platform's own tables.
func Default() Mapping {
	m, err := Parse("the default mapping", DefaultText)
	if err != nil {
		panic(err)
	}
	return m
}

// FullName returns the table's name with its schema.
func (t *Table) FullName() string { return t.Schema + "." + t.Name }

// IsNamed reports whether a name is the table's: with its schema, or without where that is public.
func (t *Table) IsNamed(name string) bool {
	schema, table := splitName(name)
	return schema == t.Schema && table == t.Name
}

// Field returns the field of that name, nil where the table does not have it.
func (t *Table) Field(name string) *Field {
	if i := slices.IndexFunc(t.Fields, func(f Field) bool { return f.Name == name }); i >= 0 {
		return &t.Fields[i]
	}
	return nil
}

// Columns returns the columns that fields come from, each once, in the order of the fields.
func (t *Table) Columns() []string {
	var columns []string
	for _, f := range t.Fields {
		if f.Column != "" && !slices.Contains(columns, f.Column) {
			columns = append(columns, f.Column)
		}
	}
	return columns
}

// splitName splits the name of a table. A name without a schema is of the schema public.
func splitName(name string) (schema, table string) {
	if schema, table, ok := strings.Cut(name, "."); ok {
		return schema, table
	}
	return "public", name
}
