package source

import (
	"context"
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
	typeName  string
	kind      ValueKind
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
		if err == nil {
			return r, nil
		}
		// What PostgreSQL says of the privileges on a table that is dropped meanwhile is NULL. Another one may have its
		// name now.
		if !r.isDropped(ctx, c.conn) {
			return nil, fmt.Errorf("look up table %s.%s: %w", schema, name, err)
		}
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
	if r.unique, err = uniqueIndexes(ctx, conn, r.OID); err != nil || r.kind == "p" {
		return err
	}
	r.children, err = children(ctx, conn, r.OID)
	return err
}

func (r *Relation) readColumns(ctx context.Context, conn *pgx.Conn) error {
	rows, err := conn.Query(ctx, attributesSQL, r.OID)
	if err != nil {
		return err
	}
	var name, typeName, typeKind, baseName string
	var base uint32
	var readable, generated bool
	_, err = pgx.ForEachRow(rows, []any{&name, &typeName, &base, &typeKind, &baseName, &readable, &generated}, func() error {
		r.Columns[name] = Attribute{typeName, kindOf(base, typeKind, baseName), readable, generated}
		return nil
	})
	if err != nil {
		return err
	}
	rows, err = conn.Query(ctx, identitySQL, r.OID, r.identity)
	if err != nil {
		return err
	}
	r.key, err = pgx.CollectRows(rows, pgx.RowTo[string])
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

// KindOfType returns how values of a type are read.
func (c *Catalog) KindOfType(ctx context.Context, id uint32) (ValueKind, error) {
	if k, known := valueKinds[id]; known {
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

// Exec carries out a statement.
func (c *Catalog) Exec(ctx context.Context, statement string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.conn.Exec(ctx, statement)
	return err
}

// WALEnd returns how far the log is durable.
func (c *Catalog) WALEnd(ctx context.Context) (pglogrepl.LSN, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var end string
	if err := c.conn.QueryRow(ctx, "SELECT pg_current_wal_flush_lsn()::text").Scan(&end); err != nil {
		return 0, fmt.Errorf("look up the end of the WAL: %w", err)
	}
	return pglogrepl.ParseLSN(end)
}

// Database returns the name of the database.
func (c *Catalog) Database(ctx context.Context) (name string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.conn.QueryRow(ctx, "SELECT current_database()").Scan(&name); err != nil {
		return "", fmt.Errorf("look up the name of the database: %w", err)
	}
	return name, nil
}
