package postgres

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
)

// catalog asks the source what its tables are like, and for single rows. It is safe for concurrent use.
type catalog struct {
	mu   sync.Mutex
	conn *pgx.Conn
}

// relation is what the source says of a table.
type relation struct {
	id           uint32
	kind         string // r: table, p: partitioned
	persistence  string // p: permanent
	identity     string // replica identity: d: primary key, i: an index, f: the whole row, n: nothing
	hiddenRows   bool   // row-level security applies to the role
	schemaUsable bool
	owned        bool
	columns      map[string]attribute
	partitions   []partition // that hold its rows, or the table itself
	children     []string    // tables that inherit from it, if it is not partitioned
	unique       [][]string  // columns of each index by which no two rows are equal
	key          []string    // columns of the replica identity; of the primary key where that is the whole row
}

// attribute is a column as the source says.
type attribute struct {
	typeName  string
	kind      kind
	readable  bool
	generated bool // it is computed from others
}

const relationSQL = `
SELECT c.oid, c.relkind::text, c.relpersistence::text, c.relreplident::text, row_security_active(c.oid),
    has_schema_privilege(n.oid, 'USAGE'), pg_has_role(c.relowner, 'USAGE')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2`

// A domain is as the type below it.
const attributesSQL = `
SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), base.oid, base.typtype::text, base.typname::text,
    has_column_privilege(a.attrelid, a.attnum, 'SELECT'), a.attgenerated != ''
FROM pg_attribute a
CROSS JOIN LATERAL
(
    WITH RECURSIVE below AS
    (
        SELECT oid, typtype, typname, typbasetype FROM pg_type WHERE oid = a.atttypid
        UNION ALL
        SELECT t.oid, t.typtype, t.typname, t.typbasetype FROM below JOIN pg_type t ON t.oid = below.typbasetype WHERE below.typtype = 'd'
    )
    SELECT oid, typtype, typname FROM below WHERE typtype != 'd'
) base
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped`

const identitySQL = `
SELECT a.attname::text
FROM pg_index i
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
WHERE i.indrelid = $1 AND CASE $2 WHEN 'i' THEN i.indisreplident WHEN 'n' THEN false ELSE i.indisprimary END
ORDER BY array_position(i.indkey::int2[], a.attnum)`

// relation looks a table up; nil: there is none of that name.
func (c *catalog) relation(ctx context.Context, schema, name string) (*relation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := &relation{columns: map[string]attribute{}}
	err := c.conn.QueryRow(ctx, relationSQL, schema, name).Scan(
		&r.id, &r.kind, &r.persistence, &r.identity, &r.hiddenRows, &r.schemaUsable, &r.owned)
	if err == pgx.ErrNoRows {
		return nil, nil
	}
	if err == nil {
		err = r.read(ctx, c.conn)
	}
	if err != nil {
		return nil, fmt.Errorf("look up table %s.%s: %w", schema, name, err)
	}
	return r, nil
}

// read reads what the table is made of.
func (r *relation) read(ctx context.Context, conn *pgx.Conn) (err error) {
	if err = r.readColumns(ctx, conn); err != nil {
		return err
	}
	if r.partitions, err = partitionsOf(ctx, conn, r.id); err != nil {
		return err
	}
	if r.unique, err = uniqueIndexes(ctx, conn, r.id); err != nil || r.kind == "p" {
		return err
	}
	r.children, err = children(ctx, conn, r.id)
	return err
}

func (r *relation) readColumns(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, attributesSQL, r.id)
	if err != nil {
		return err
	}
	var name, typeName, typeKind, baseName string
	var base uint32
	var readable, generated bool
	_, err = pgx.ForEachRow(rows, []any{&name, &typeName, &base, &typeKind, &baseName, &readable, &generated}, func() error {
		r.columns[name] = attribute{typeName, kindOf(base, typeKind, baseName), readable, generated}
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = conn.Query(ctx, identitySQL, r.id, r.identity)
	if err != nil {
		return err
	}
	r.key, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return err
}

func kindOf(base uint32, typeKind, name string) kind {
	if typeKind == "e" || name == "citext" {
		return kindText
	}
	return kinds[base]
}

// bind makes a table of a mapping and what the source says. Every column that is missing or does not fit is a problem.
func bind(m mapping.Table, r *relation) (*table, []Problem) {
	t := &table{Table: m, id: r.id, partitioned: r.kind == "p", owned: r.owned, partitions: r.partitions}
	var problems []Problem
	for _, name := range m.Columns() {
		a, ok := r.columns[name]
		if !ok {
			problems = append(problems, Problem{
				What: fmt.Sprintf("table %s has no column %s, which the mapping names", m.FullName(), name),
				Mend: "correct the mapping (--mapping; --print-mapping shows it), or add the column", passing: r.id,
			})
		}
		t.columns = append(t.columns, column{name, a.kind, a.typeName, a.generated})
	}
	for _, f := range m.Fields {
		place := slices.IndexFunc(t.columns, func(c column) bool { return c.name == f.Column })
		t.fields = append(t.fields, field{f, place})
		if a, ok := r.columns[f.Column]; ok && !fieldFits(&m, f, a.kind) {
			problems = append(problems, unfit(r.id, &m, f, a.typeName))
		}
	}
	keyless, ambiguous := t.bindKey(r), t.bindIdentity(r)
	if len(keyless) > 0 {
		return t, append(problems, keyless...) // a key mends both
	}
	return t, append(problems, ambiguous...)
}

// fieldFits tells whether a column can give a field. What lies at a path in JSON is seen in each row only.
func fieldFits(t *mapping.Table, f mapping.Field, k kind) bool {
	if f.Path != nil {
		return k == kindJSON
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
		Mend: "correct the mapping (--mapping; --print-mapping shows it)", passing: id,
	}
}

// bindKey finds what tells the rows apart: the id, or the key of the table of members.
func (t *table) bindKey(r *relation) []Problem {
	names := r.key
	id := t.Field("id")
	if id != nil {
		names = []string{id.Column}
	}
	for _, name := range names {
		place := slices.IndexFunc(t.columns, func(c column) bool { return c.name == name })
		if _, there := r.columns[name]; !there {
			return []Problem{{
				What: fmt.Sprintf("table %s has no column %s, by which its rows are told apart", t.FullName(), name),
				Mend: "correct the mapping (--mapping; --print-mapping shows it), or add the column",
			}}
		}
		if place < 0 {
			a := r.columns[name]
			place = len(t.columns)
			t.columns = append(t.columns, column{name, a.kind, a.typeName, a.generated})
		}
		t.key = append(t.key, place)
	}
	switch {
	case r.identity == "n" || len(r.key) == 0 && r.identity != "f":
		return []Problem{{
			What: fmt.Sprintf("table %s has no replica identity: its updates and deletions can't be followed", t.FullName()),
			Mend: fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (…);  -- and ALTER TABLE %s REPLICA IDENTITY DEFAULT;", t.sqlName(), t.sqlName()),
		}}
	case id != nil && r.identity != "f" && !slices.Contains(r.key, id.Column):
		return []Problem{{
			What: fmt.Sprintf("column %s of table %s, the id, is not part of its replica identity: a deletion does not tell it", id.Column, t.FullName()),
			Mend: fmt.Sprintf("ALTER TABLE %s REPLICA IDENTITY USING INDEX …;  -- a unique index on (%s), which must be NOT NULL", t.sqlName(), pgx.Identifier{id.Column}.Sanitize()),
		}}
	case len(t.key) == 0:
		return []Problem{{
			What: fmt.Sprintf("table %s has no primary key, by which its rows could be told apart", t.FullName()),
			Mend: fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (…);", t.sqlName()),
		}}
	}
	return nil
}

// nameOf is the name of a table with its schema, "" if there is none any more.
func (c *catalog) nameOf(ctx context.Context, id uint32) (name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	err = c.conn.QueryRow(ctx, "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::bigint::oid", int64(id)).Scan(&name)
	if err == pgx.ErrNoRows {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look up the name of table %d: %w", id, err)
	}
	return name, nil
}

// kindOfType tells how values of a type are read.
func (c *catalog) kindOfType(ctx context.Context, id uint32) (kind, error) {
	if k, known := kinds[id]; known {
		return k, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var base uint32
	var typeKind, name string
	for {
		err := c.conn.QueryRow(ctx, "SELECT typbasetype, typtype::text, typname::text FROM pg_type WHERE oid = $1", id).Scan(&base, &typeKind, &name)
		if err == pgx.ErrNoRows {
			return kindUnfit, nil
		}
		if err != nil {
			return kindUnfit, fmt.Errorf("look up type %d: %w", id, err)
		}
		if typeKind != "d" {
			return kindOf(id, typeKind, name), nil
		}
		id = base
	}
}
