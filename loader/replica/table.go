package replica

import (
	"context"
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// table is the replica of one kind of record. The writer has one of each kind (Writer.tables).
type table interface {
	// schema returns what statements about any table must know of this one.
	schema() *schema
	// apply writes what the records of a batch change, and returns how many do. It does nothing where that is planned.
	apply(ctx context.Context, batch uint64, p *plan) (changed int, err error)
	// stored returns those of some ids of which there may be a record, deleted or not.
	stored(ctx context.Context, ids []string) ([]string, error)
	// lacking returns the keys of those of some records whose sources did not send all of them, and for which the table
	// does not have the rest. The floor is the LSN from which on it has missed no change.
	lacking(ctx context.Context, partial []record.Record, floor uint64) (keys []string, err error)
}

// planned is part of tables whose rows are planned: writeMessages writes them, in their order.
type planned struct{}

func (planned) apply(context.Context, uint64, *plan) (changed int, err error) { return 0, nil }

// sentWhole is part of tables whose records have no field that the version before could supply.
type sentWhole struct{}

func (sentWhole) lacking(_ context.Context, partial []record.Record, _ uint64) (keys []string, err error) {
	return columnOf(partial, record.Record.Key), nil
}

// schema is what statements must know of a table, in SQL.
type schema struct {
	name     string
	sortKey  string // its columns
	exists   string // the condition that a row does not only hide another, which moved away
	position string // three columns that hold the sort key: org_id, a time, and an id
	after    string // the sort key of the parameters org, at and id
	key      string // the column of record.Record.Key
}

// locatedSchema describes a table that is sorted by organization, a time and the id. The column exists is "" in rows
// that only hide another.
func locatedSchema(name, at, exists string) schema {
	return schema{
		name: name, sortKey: "org_id, " + at + ", id", exists: exists + " != ''", key: "id",
		position: "toString(org_id), toUnixTimestamp64Milli(" + at + "), id",
		after:    "{org:String}, {at:DateTime64(3, 'UTC')}, {id:String}",
	}
}

// latest returns a SELECT of rows in their last version, in SQL.
func (s *schema) latest(columns, where string) string {
	return fmt.Sprintf(`
SELECT %[1]s
FROM
(
    SELECT *
    FROM %[2]s
    WHERE %[4]s
    ORDER BY %[3]s, version DESC
    LIMIT 1 BY %[3]s
)
WHERE %[5]s`, columns, s.name, s.sortKey, where, s.exists)
}

// rowsOf is a table with its rows in Go.
type rowsOf[R any] struct {
	of      schema
	conn    clickhouse.Conn
	columns clickhouse.Columns[R]
	blank   func() *R // returns a row to scan into
}

func (t *rowsOf[R]) schema() *schema { return &t.of }

// lookUp calls f for the last version of each row that meets a condition about a set of keys.
func (t *rowsOf[R]) lookUp(ctx context.Context, keys *clickhouse.Keys, where string, f func(*R)) error {
	query := t.of.latest(t.columns.Select(), where)
	return clickhouse.LookUp(ctx, t.conn, t.of.name, keys, query, func(scan clickhouse.Scan) error {
		row := t.blank()
		err := t.columns.Scan(scan, row)
		f(row)
		return err
	})
}

func (t *rowsOf[R]) insert(ctx context.Context, batch uint64, rows []R) error {
	columns := append(t.columns[:len(t.columns):len(t.columns)], clickhouse.Constant[R]("version", batch))
	return clickhouse.Insert(ctx, t.conn, t.of.name, rows, columns...)
}

// located is a table of a locatedSchema, with the index of where its rows are.
type located[R any] struct {
	rowsOf[R]
	locations *index.Locations
	id        func(*R) string
}

// read reads the rows of ids, given where they may be. A row that was moved away or never written does not show.
func (t *located[R]) read(ctx context.Context, ids []string, hashes []uint64, at index.Found) (map[string]*R, error) {
	keys, n := at.Keys(ids, hashes)
	rows := make(map[string]*R, n)
	if n == 0 {
		return rows, nil
	}
	err := t.lookUp(ctx, keys, "("+t.of.sortKey+") IN (SELECT org_id, at, id FROM keys)", func(row *R) { rows[t.id(row)] = row })
	return rows, err
}

func (t *located[R]) stored(ctx context.Context, ids []string) (stored []string, err error) {
	hashes := index.Hashes(ids)
	at, err := t.locations.Find(ctx, hashes)
	for i, id := range ids {
		if len(at[hashes[i]]) > 0 {
			stored = append(stored, id)
		}
	}
	return stored, err
}

// Stored returns those of some ids of which the replica of a kind may have a record, deleted or not: all that it has,
// and seldom another one.
func (w *Writer) Stored(ctx context.Context, kind record.Kind, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	return w.tables[kind].stored(ctx, ids)
}

// versionColumns returns the columns of a record's version, which all tables have.
func versionColumns[R any](version func(*R) *record.Version) clickhouse.Columns[R] {
	return clickhouse.Columns[R]{
		clickhouse.Millis("updated_at", func(r *R) *int64 { return &version(r).UpdatedAt }),
		clickhouse.Value("deleted_at", func(r *R) *int64 {
			if v := version(r); v.Deleted {
				return &v.DeletedAt
			}
			return nil
		}),
		clickhouse.Expression("ifNull(toUnixTimestamp64Milli(deleted_at), 0)", func(r *R) *int64 { return &version(r).DeletedAt }),
		clickhouse.Expression("deleted_at IS NOT NULL", func(r *R) *bool { return &version(r).Deleted }),
		clickhouse.Field("log_position", func(r *R) *uint64 { return &version(r).LSN }),
	}
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// columnOf returns one value of each row.
func columnOf[R, V any](rows []R, value func(R) V) []V {
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out
}

// organizationsOf returns the organizations of rows.
func organizationsOf[R any](rows []R, organization func(*R) string) map[string]struct{} {
	set := map[string]struct{}{}
	for i := range rows {
		set[organization(&rows[i])] = struct{}{}
	}
	return set
}

// lookUpTexts runs a query that sees a set of keys and selects one text.
func lookUpTexts(ctx context.Context, conn clickhouse.Conn, what string, keys *clickhouse.Keys, query string) (texts []string, err error) {
	err = clickhouse.LookUp(ctx, conn, what, keys, query, func(scan clickhouse.Scan) error {
		var text string
		err := scan(&text)
		texts = append(texts, text)
		return err
	})
	return texts, err
}
