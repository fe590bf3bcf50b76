package source

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
)

// Catalog asks the source what its tables are like, and for single rows. It is safe for concurrent use.
type Catalog struct {
	mu   sync.Mutex
	conn *pgx.Conn
}

// NewCatalog returns the catalog that a connection reads. Nothing else may use the connection.
func NewCatalog(conn *pgx.Conn) *Catalog { return &Catalog{conn: conn} }

// Relation is what the source says of a table.
type Relation struct {
	OID          uint32
	kind         string // r: table, p: partitioned
	persistence  string // p: permanent
	identity     string // replica identity: d: primary key, i: an index, f: the whole row, n: nothing
	hiddenRows   bool   // row-level security applies to the role
	schemaUsable bool
	owned        bool
	Columns      map[string]Attribute
	Partitions   []Partition // that hold its rows, or the table itself
	children     []string    // tables that inherit from it, if it is not partitioned
	unique       [][]string  // columns of each index by which no two rows are equal
	key          []string    // columns of the replica identity; of the primary key where that is the whole row
}

// Attribute is a column as the source says.
type Attribute struct {
	TypeName  string // as SQL writes it
	Kind      ValueKind
	readable  bool
	Generated bool // it is computed from others
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

// ask reads one row. Its errors name what is looked up.
func (c *Catalog) ask(ctx context.Context, what, statement string, arguments []any, values ...any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.QueryRow(ctx, statement, arguments...).Scan(values...); err != nil {
		return fmt.Errorf("look up %s: %w", what, err)
	}
	return nil
}

// Relation looks a table up; nil: there is none of that name.
func (c *Catalog) Relation(ctx context.Context, schema, name string) (*Relation, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		r := &Relation{Columns: map[string]Attribute{}}
		err := c.conn.QueryRow(ctx, relationSQL, schema, name).Scan(
			&r.OID, &r.kind, &r.persistence, &r.identity, &r.hiddenRows, &r.schemaUsable, &r.owned)
		if err == pgx.ErrNoRows {
			return nil, nil
		}
		if err == nil {
			err = r.read(ctx, c.conn)
		}
		// A table that is dropped meanwhile looks as if it had no columns and no index, and what PostgreSQL says of the
		// privileges on it is NULL. Another one may have its name now.
		if r.isDropped(ctx, c.conn) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("look up table %s.%s: %w", schema, name, err)
		}
		return r, nil
	}
}

// isDropped reports whether the table that was found is no more. It is false where that can't be found out.
func (r *Relation) isDropped(ctx context.Context, conn *pgx.Conn) bool {
	var dropped bool
	err := conn.QueryRow(ctx, "SELECT NOT EXISTS (SELECT FROM pg_class WHERE oid = $1)", r.OID).Scan(&dropped)
	return err == nil && dropped && r.OID != 0
}

// read reads what the table is made of.
func (r *Relation) read(ctx context.Context, conn *pgx.Conn) (err error) {
	if err = r.readColumns(ctx, conn); err != nil {
		return err
	}
	if r.Partitions, err = PartitionsOf(ctx, conn, r.OID); err != nil {
		return err
	}
	if r.unique, err = column[[]string](ctx, conn, uniqueSQL, int64(r.OID)); err != nil {
		return err
	}
	if r.key, err = column[string](ctx, conn, identitySQL, r.OID, r.identity); err != nil || r.kind == "p" {
		return err
	}
	r.children, err = column[string](ctx, conn, childrenSQL, int64(r.OID))
	return err
}

// column reads a query of one column. Its error comes with the rows.
func column[T any](ctx context.Context, conn querier, statement string, arguments ...any) ([]T, error) {
	rows, _ := conn.Query(ctx, statement, arguments...)
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

func (r *Relation) readColumns(ctx context.Context, conn *pgx.Conn) error {
	rows, _ := conn.Query(ctx, attributesSQL, r.OID) // its error comes with the rows
	var name, typeName, typeKind, baseName string
	var base uint32
	var readable, generated bool
	_, err := pgx.ForEachRow(rows, []any{&name, &typeName, &base, &typeKind, &baseName, &readable, &generated}, func() error {
		r.Columns[name] = Attribute{typeName, kindOf(base, typeKind, baseName), readable, generated}
		return nil
	})
	return err
}

func kindOf(base uint32, typeKind, name string) ValueKind {
	if typeKind == "e" || name == "citext" {
		return KindText
	}
	return valueKinds[base]
}

// TableName returns the name of a table with its schema, "" if there is none any more.
func (c *Catalog) TableName(ctx context.Context, id uint32) (name string, err error) {
	err = c.ask(ctx, fmt.Sprintf("the name of table %d", id), `
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = $1::bigint::oid`,
		[]any{int64(id)}, &name)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return name, err
}

// KindOfType returns how values of a type are read.
func (c *Catalog) KindOfType(ctx context.Context, id uint32) (ValueKind, error) {
	if k, known := valueKinds[id]; known {
		return k, nil
	}
	var base uint32
	var typeKind, name string
	err := c.ask(ctx, fmt.Sprintf("type %d", id), "SELECT typbasetype, typtype::text, typname::text FROM pg_type WHERE oid = $1", []any{id}, &base, &typeKind, &name)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return kindUnfit, nil
	case err != nil:
		return kindUnfit, err
	case typeKind == "d":
		return c.KindOfType(ctx, base)
	}
	return kindOf(id, typeKind, name), nil
}

// Exec carries out a statement.
func (c *Catalog) Exec(ctx context.Context, statement string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.conn.Exec(ctx, statement)
	return err
}

// WALEnd returns how far the WAL is durable.
func (c *Catalog) WALEnd(ctx context.Context) (pglogrepl.LSN, error) {
	var end string
	if err := c.ask(ctx, "the end of the WAL", "SELECT pg_current_wal_flush_lsn()::text", nil, &end); err != nil {
		return 0, err
	}
	return pglogrepl.ParseLSN(end)
}

// Database returns the name of the database.
func (c *Catalog) Database(ctx context.Context) (name string, err error) {
	err = c.ask(ctx, "the name of the database", "SELECT current_database()", nil, &name)
	return name, err
}
