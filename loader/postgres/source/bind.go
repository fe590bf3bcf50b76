package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
)

// Bind makes a table of a mapping and what the source says. Every column that is missing or does not fit is a problem.
func Bind(m mapping.Table, r *Relation) (*Table, []Problem) {
	t := &Table{Table: m, OID: r.OID, Partitioned: r.kind == "p", owned: r.owned, Partitions: r.Partitions}
	var problems []Problem
	for _, name := range m.Columns() {
		a, ok := r.Columns[name]
		if !ok {
			missing := problemf(fixMapping+", or add the column", "table %s has no column %s, which the mapping names", m.FullName(), name)
			missing.TableOID = r.OID
			problems = append(problems, missing)
		}
		t.Columns = append(t.Columns, Column{name, a})
	}
	for _, f := range m.Fields {
		t.Sources = append(t.Sources, Field{f, t.columnIndex(f.Column)})
		if a, ok := r.Columns[f.Column]; ok && !FieldFits(&m, f, a.Kind) {
			problems = append(problems, unfit(r.OID, &m, f, a.TypeName))
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
	return slices.Contains(fitting[t.Shape(f.Name)], k)
}

func unfit(id uint32, t *mapping.Table, f mapping.Field, typeName string) Problem {
	want := t.Shape(f.Name).String()
	if f.Path != nil {
		want = "jsonb or json, because of the path"
	}
	p := problemf(fixMapping, "column %s of table %s has type %s, which does not fit the field %s; want %s", f.Column, t.FullName(), typeName, f.Name, want)
	p.TableOID = id
	return p
}

// columnIndex returns the index of a column, -1 if it is not among those that are read.
func (t *Table) columnIndex(name string) int {
	return slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
}

// bindKey finds what identifies the rows: the id, or the key of the table of members.
func (t *Table) bindKey(r *Relation) []Problem {
	names := r.key
	id := t.Field("id")
	if id != nil {
		names = []string{id.Column}
	}
	for _, name := range names {
		a, there := r.Columns[name]
		if !there {
			return []Problem{problemf(fixMapping+", or add the column", "table %s has no column %s, which identifies its rows", t.FullName(), name)}
		}
		index := t.columnIndex(name)
		if index < 0 {
			index = len(t.Columns)
			t.Columns = append(t.Columns, Column{name, a})
		}
		t.Key = append(t.Key, index)
	}
	switch {
	case r.identity == "n" || len(r.key) == 0 && r.identity != "f":
		return []Problem{problemf(fmt.Sprintf("ALTER TABLE %[1]s ADD PRIMARY KEY (…);  -- and ALTER TABLE %[1]s REPLICA IDENTITY DEFAULT;", t.SQLName()),
			"table %s has no replica identity: its updates and deletes cannot be replicated", t.FullName())}
	case id != nil && r.identity != "f" && !slices.Contains(r.key, id.Column):
		return []Problem{problemf(fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY USING INDEX …;  -- a unique index on (%s), which must be NOT NULL", t.SQLName(), Identifier(id.Column)),
			"column %s of table %s, the id, is not part of its replica identity: the WAL does not have it of a deletion", id.Column, t.FullName())}
	case len(t.Key) == 0:
		return []Problem{problemf("ALTER TABLE "+t.SQLName()+" ADD PRIMARY KEY (…);", "table %s has no primary key to identify its rows by", t.FullName())}
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
			problems = append(problems, problemf(fixMapping+", or create the table", "table %s does not exist", mapped.FullName()))
			continue
		}
		t, more := Bind(mapped, r)
		t.Encoding = encoding
		tables = append(tables, t)
		problems = slices.Concat(problems, more, usable(t, r))
	}
	return tables, problems, nil
}

// grant returns what the role lacks, as SQL.
func grant(privilege, object string) string {
	return "GRANT " + privilege + " ON " + object + " TO current_user;  -- with the role's name, as the owner"
}

const fixHiddenRows = "ALTER ROLE current_user BYPASSRLS;  -- with the role's name, as a superuser"

// usable finds what keeps a table that is as it should be from being read or followed.
func usable(t *Table, r *Relation) (problems []Problem) {
	name := t.FullName()
	switch {
	case r.kind != "r" && r.kind != "p":
		problems = append(problems, problemf("name the table that it reads in the mapping", "%s is not a table and has no changes to replicate", name))
	case r.persistence != "p":
		problems = append(problems, problemf("ALTER TABLE "+t.SQLName()+" SET LOGGED;", "table %s is unlogged: its changes are not in the WAL", name))
	}
	if r.hiddenRows {
		problems = append(problems, problemf(fixHiddenRows, "row-level security hides rows of table %s from the role", name))
	}
	if !r.schemaUsable {
		problems = append(problems, problemf(grant("USAGE", "SCHEMA "+Identifier(t.Schema)), "the role may not use the schema of table %s", name))
	}
	problems = append(problems, r.TreeProblems(t)...)
	for _, c := range t.Columns {
		if a, ok := r.Columns[c.Name]; ok && !a.readable {
			return append(problems, problemf(grant("SELECT", t.SQLName()), "the role may not read table %s", name))
		}
	}
	return append(problems, r.unreadable(name)...)
}
