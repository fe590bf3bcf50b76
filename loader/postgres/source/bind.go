package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
)

// Bind makes a table of a mapping and what the source says. Every column that is missing or does not fit is a problem.
func Bind(m mapping.Table, r *Relation) (*Table, []Problem) {
	t := &Table{Table: m, OID: r.OID, Partitioned: r.kind == "p", owned: r.owned, Partitions: r.Partitions}
	var problems []Problem
	for _, name := range m.Columns() {
		a, ok := r.Columns[name]
		if !ok {
			problems = append(problems, Problem{
				What: fmt.Sprintf("table %s has no column %s, which the mapping names", m.FullName(), name),
				Fix:  "correct the mapping (--mapping; --print-mapping shows it), or add the column", TableOID: r.OID,
			})
		}
		t.Columns = append(t.Columns, Column{name, a.kind, a.typeName, a.Generated})
	}
	for _, f := range m.Fields {
		place := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == f.Column })
		t.Sources = append(t.Sources, Field{f, place})
		if a, ok := r.Columns[f.Column]; ok && !FieldFits(&m, f, a.kind) {
			problems = append(problems, unfit(r.OID, &m, f, a.typeName))
		}
	}
	keyless, ambiguous := t.bindKey(r), t.bindIdentity(r)
	if len(keyless) > 0 {
		return t, append(problems, keyless...) // a key fixes both
	}
	return t, append(problems, ambiguous...)
}

// FieldFits reports whether a column can be the source of a field. What lies at a path in JSON is seen in each row
// only.
func FieldFits(t *mapping.Table, f mapping.Field, k ValueKind) bool {
	if f.Path != nil {
		return k == KindJSON
	}
	return k.fits(t.Shape(f.Name))
}

func unfit(id uint32, t *mapping.Table, f mapping.Field, typeName string) Problem {
	want := t.Shape(f.Name).String()
	if f.Path != nil {
		want = "jsonb or json, because of the path"
	}
	return Problem{
		What: fmt.Sprintf("column %s of table %s has type %s, which does not fit the field %s; want %s", f.Column, t.FullName(), typeName, f.Name, want),
		Fix:  "correct the mapping (--mapping; --print-mapping shows it)", TableOID: id,
	}
}

// bindKey finds what tells the rows apart: the id, or the key of the table of members.
func (t *Table) bindKey(r *Relation) []Problem {
	names := r.key
	id := t.Field("id")
	if id != nil {
		names = []string{id.Column}
	}
	for _, name := range names {
		place := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
		if _, there := r.Columns[name]; !there {
			return []Problem{{
				What: fmt.Sprintf("table %s has no column %s, which identifies its rows", t.FullName(), name),
				Fix:  "correct the mapping (--mapping; --print-mapping shows it), or add the column",
			}}
		}
		if place < 0 {
			a := r.Columns[name]
			place = len(t.Columns)
			t.Columns = append(t.Columns, Column{name, a.kind, a.typeName, a.Generated})
		}
		t.Key = append(t.Key, place)
	}
	switch {
	case r.identity == "n" || len(r.key) == 0 && r.identity != "f":
		return []Problem{{
			What: fmt.Sprintf("table %s has no replica identity: its updates and deletes cannot be replicated", t.FullName()),
			Fix:  fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (…);  -- and ALTER TABLE %s REPLICA IDENTITY DEFAULT;", t.SQLName(), t.SQLName()),
		}}
	case id != nil && r.identity != "f" && !slices.Contains(r.key, id.Column):
		return []Problem{{
			What: fmt.Sprintf("column %s of table %s, the id, is not part of its replica identity: the WAL does not have it of a deletion", id.Column, t.FullName()),
			Fix:  fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY USING INDEX …;  -- a unique index on (%s), which must be NOT NULL", t.SQLName(), pgx.Identifier{id.Column}.Sanitize()),
		}}
	case len(t.Key) == 0:
		return []Problem{{
			What: fmt.Sprintf("table %s has no primary key to identify its rows by", t.FullName()),
			Fix:  fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (…);", t.SQLName()),
		}}
	}
	return nil
}

// BindAll finds the mapped tables in the source. What is missing or unfit is reported at once.
func BindAll(ctx context.Context, c *Catalog, m mapping.Mapping) (tables []*Table, problems []Problem, err error) {
	encoding, err := c.encoding(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, mapped := range m.Tables {
		r, err := c.Relation(ctx, mapped.Schema, mapped.Name)
		if err != nil {
			return nil, nil, err
		}
		if r == nil {
			problems = append(problems, Problem{
				What: fmt.Sprintf("table %s does not exist", mapped.FullName()),
				Fix:  "correct the mapping (--mapping; --print-mapping shows it), or create the table",
			})
			continue
		}
		t, more := Bind(mapped, r)
		t.Encoding = encoding
		tables = append(tables, t)
		problems = append(problems, more...)
		problems = append(problems, usable(t, r)...)
	}
	return tables, problems, nil
}

const fixHiddenRows = "ALTER ROLE current_user BYPASSRLS;  -- with the role's name, as a superuser"

// usable finds what keeps a table that is as it should be from being read or followed.
func usable(t *Table, r *Relation) (problems []Problem) {
	name := t.FullName()
	switch {
	case r.kind != "r" && r.kind != "p":
		problems = append(problems, Problem{What: fmt.Sprintf("%s is not a table and has no changes to replicate", name), Fix: "name the table that it reads in the mapping"})
	case r.persistence != "p":
		problems = append(problems, Problem{What: fmt.Sprintf("table %s is unlogged: its changes are not in the WAL", name), Fix: fmt.Sprintf("ALTER TABLE %s SET LOGGED;", t.SQLName())})
	}
	if r.hiddenRows {
		problems = append(problems, Problem{What: fmt.Sprintf("row-level security hides rows of table %s from the role", name), Fix: fixHiddenRows})
	}
	if !r.schemaUsable {
		problems = append(problems, Problem{What: fmt.Sprintf("the role may not use the schema of table %s", name), Fix: fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO current_user;  -- with the role's name, as the owner", Identifier(t.Schema))})
	}
	problems = append(problems, r.TreeProblems(t)...)
	for _, c := range t.Columns {
		if a, ok := r.Columns[c.Name]; ok && !a.readable {
			return append(problems, Problem{What: fmt.Sprintf("the role may not read table %s", name), Fix: fmt.Sprintf("GRANT SELECT ON %s TO current_user;  -- with the role's name, as the owner", t.SQLName())})
		}
	}
	return append(problems, r.unreadable(name)...)
}
