package source

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Partition is a table that holds rows itself: the mapped table, or a partition at the end of its tree.
type Partition struct {
	OID        uint32
	Name       string // as SQL needs it
	fileNode   uint32 // of the file that holds the rows; 0: it has none
	Pages      int64
	Rows       float64 // an estimate
	kind       string  // as relation has it; f: a foreign table
	persistent bool
	hiddenRows bool
	readable   bool // all columns may be read
}

// A table's rows stay where they are as long as its file is the same.
const partitionsSQL = `
SELECT c.oid, quote_ident(n.nspname) || '.' || quote_ident(c.relname), coalesce(pg_relation_filenode(c.oid), 0)::bigint,
    coalesce(pg_relation_size(c.oid), 0) / current_setting('block_size')::bigint, greatest(c.reltuples, 0)::float8,
    c.relkind::text, c.relpersistence = 'p', row_security_active(c.oid), coalesce(has_table_privilege(c.oid, 'SELECT') OR
    (SELECT bool_and(has_column_privilege(c.oid, attnum, 'SELECT')) FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped), true)
FROM
(
    SELECT relid FROM pg_partition_tree($1::bigint::oid::regclass) WHERE isleaf
    UNION
    SELECT oid FROM pg_class WHERE oid = $1::bigint::oid AND relkind != 'p'
) AS tree
JOIN pg_class c ON c.oid = tree.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'f')
ORDER BY 2`

// querier is a connection, or a transaction on one.
type querier interface {
	Query(ctx context.Context, statement string, arguments ...any) (pgx.Rows, error)
}

// PartitionsOf reads which tables hold the rows of a table, in the order of their names.
func PartitionsOf(ctx context.Context, conn querier, id uint32) (all []Partition, err error) {
	rows, _ := conn.Query(ctx, partitionsSQL, int64(id)) // its error comes with the rows
	var p Partition
	var node int64
	_, err = pgx.ForEachRow(rows, []any{&p.OID, &p.Name, &node, &p.Pages, &p.Rows, &p.kind, &p.persistent, &p.hiddenRows, &p.readable}, func() error {
		p.fileNode = uint32(node)
		all = append(all, p)
		return nil
	})
	return all, err
}

// childrenSQL are the tables that inherit from a table, at any depth, by name.
const childrenSQL = `
WITH RECURSIVE children AS
(
    SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::bigint::oid
    UNION
    SELECT i.inhrelid FROM pg_inherits AS i JOIN children AS c ON i.inhparent = c.inhrelid
)
SELECT inhrelid::regclass::text FROM children ORDER BY 1`

// TreeProblems returns what of a table's partitions and children keeps its rows from being read or followed, whatever
// its columns are.
func (r *Relation) TreeProblems(t *Table) (problems []Problem) {
	name := t.FullName()
	if len(r.children) > 0 {
		problems = append(problems, problemf("ALTER TABLE … NO INHERIT "+t.SQLName()+";  -- for each of them, and keep their rows in the table itself or in "+
			"declared partitions; a TimescaleDB hypertable can't be replicated",
			"table %s has children by inheritance (%s), whose rows PostgreSQL shows as its own, and whose changes it sends under their own names: they can't be counted",
			name, shortList(r.children)))
	}
	for _, p := range r.Partitions {
		switch {
		case p.kind == "f":
			problems = append(problems, problemf(fmt.Sprintf("ALTER TABLE %s DETACH PARTITION %s;", t.SQLName(), p.Name),
				"partition %s of table %s is a foreign table: its changes are not in this server's WAL", p.Name, name))
		case !p.persistent && r.kind == "p":
			problems = append(problems, problemf("ALTER TABLE "+p.Name+" SET LOGGED;", "partition %s of table %s is unlogged: its changes are not in the WAL", p.Name, name))
		case p.hiddenRows && r.kind == "p":
			problems = append(problems, problemf(fixHiddenRows, "row-level security hides rows of partition %s of table %s from the role", p.Name, name))
		}
	}
	return problems
}

// unreadable returns the partitions that the role may not read by themselves, as a copy does.
func (r *Relation) unreadable(name string) (problems []Problem) {
	for _, p := range r.Partitions {
		if r.kind == "p" && !p.readable && p.kind == "r" {
			hidden := problemf(grant("SELECT", p.Name), "the role may not read partition %s of table %s", p.Name, name)
			hidden.TableOID = r.OID
			problems = append(problems, hidden)
		}
	}
	return problems
}

// shortList names the first few of many.
func shortList(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// Files are the files that held a table's rows when they were copied or followed last, by the identifiers of
// partitions. A partition whose file is another one was truncated or rewritten, which can't be told apart.
type Files map[uint32]uint32

// FilesOf returns the files that hold the rows of partitions now.
func FilesOf(partitions []Partition) Files {
	f := Files{}
	for _, p := range partitions {
		f[p.OID] = p.fileNode
	}
	return f
}

// Arrays returns the files as ClickHouse keeps them, in a fixed order.
func (f Files) Arrays() (ids, nodes []uint32) {
	ids, nodes = slices.AppendSeq(make([]uint32, 0, len(f)), maps.Keys(f)), make([]uint32, 0, len(f))
	slices.Sort(ids)
	for _, id := range ids {
		nodes = append(nodes, f[id])
	}
	return ids, nodes
}

// FilesFrom returns the files that Arrays has made arrays of.
func FilesFrom(ids, nodes []uint32) Files {
	f := Files{}
	for i, id := range ids {
		f[id] = nodes[i]
	}
	return f
}

// Moved says how rows came to a table, or went from it, beside its WAL, "" where none did. PostgreSQL does not log
// under the name of a partitioned table that a partition is attached, detached, dropped or truncated by itself. What is
// inserted into a partition once it is one is in the WAL.
func (f Files) Moved(ctx context.Context, conn querier, now []Partition) (string, error) {
	here := FilesOf(now)
	for id := range f {
		if _, there := here[id]; !there {
			return "a partition was detached or dropped", nil
		}
	}
	for _, p := range now {
		node, known := f[p.OID]
		if known && node != p.fileNode {
			return fmt.Sprintf("partition %s was truncated or rewritten", p.Name), nil
		}
		if known || p.Pages == 0 {
			continue
		}
		if logged, err := p.logged(ctx, conn); err != nil || !logged {
			return fmt.Sprintf("partition %s was attached", p.Name), err
		}
	}
	return "", nil
}

// logged reports whether a partition was made as one, so that all of its rows are in the WAL: it was not made before it
// became a partition, and no row came by the same transaction, which may have filled it before.
func (p Partition) logged(ctx context.Context, conn querier) (logged bool, err error) {
	rows, _ := conn.Query(ctx, fmt.Sprintf(`
SELECT i.xmin = t.xmin AND NOT EXISTS (SELECT FROM ONLY %s AS r WHERE r.xmin = i.xmin)
FROM pg_inherits AS i
JOIN pg_type AS t ON t.typrelid = i.inhrelid
WHERE i.inhrelid = $1::bigint::oid`, p.Name), int64(p.OID)) // its error comes with the rows
	logged, err = pgx.CollectExactlyOneRow(rows, pgx.RowTo[bool])
	if err == pgx.ErrNoRows { // it was detached meanwhile
		err = nil
	}
	return logged, err
}

// Moved asks for what happened to a table's rows beside the WAL.
func (c *Catalog) Moved(ctx context.Context, f Files, now []Partition) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return f.Moved(ctx, c.conn, now)
}
