package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/postgres/snapshot"
	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// sourceState is how far a source was replicated. It is kept in ClickHouse beside the data.
type sourceState struct {
	system      string // identifier of the cluster
	timeline    int32
	base        uint64 // position = base + LSN
	confirmed   pglogrepl.LSN
	committedAt time.Time
	caughtUpAt  time.Time // every change that was committed before is written; 1970: not known yet
	savedAt     time.Time // when this was noted
}

func (s *sourceState) position(at pglogrepl.LSN) uint64 { return s.base + uint64(at) }

// States of tables, as replication_tables has them.
const (
	copying   = "copying"
	sweeping  = "sweeping"
	following = "following"
)

// tableState is the state of a replicated table.
type tableState struct {
	name, state string
	record      record.Kind
	floor       uint64 // position from which on nothing was missed
	snapshot    uint64 // position of the last snapshot
	relation    uint32
	files       source.Files // that held the rows
	shared      bool         // it is known which rows share a record
	counts      wal.Counts
}

// state is all that is kept of a source.
type state struct {
	source sourceState
	exists bool // false: the source was never followed
	tables map[string]*tableState
}

// floors returns the tables' floors, by name.
func (s *state) floors() map[string]uint64 {
	floors := map[string]uint64{}
	for name, t := range s.tables {
		floors[name] = t.floor
	}
	return floors
}

// store keeps the state in ClickHouse.
type store struct {
	conn      clickhouse.Conn
	statement func(context.Context) (context.Context, context.CancelFunc)
	slot      string
	step      uint64 // the last that was written
}

// openPlainStore opens the store of those who do not hold the claim to write, on a connection of their own.
func openPlainStore(ctx context.Context, url, slot string) (*store, error) {
	conn, err := clickhouse.Open(ctx, url, clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		return nil, err
	}
	statement := clickhouse.Statement{Comment: "orgstats replicate", Limits: clickhouse.Limits{Time: time.Minute}}
	return &store{conn: conn, slot: slot, statement: func(ctx context.Context) (context.Context, context.CancelFunc) {
		return clickhouse.WithStatement(ctx, statement)
	}}, nil
}

func openStore(ctx context.Context, w *replica.Writer, slot string) (*store, error) {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	s := &store{conn: w.Conn(), statement: w.Statement, slot: slot}
	err := s.conn.QueryRow(ctx, `
SELECT max(last)
FROM
(
    SELECT max(step) AS last FROM replication_sources
    UNION ALL SELECT max(step) FROM replication_tables
    UNION ALL SELECT max(step) FROM replication_chunks
    UNION ALL SELECT max(step) FROM replication_rejects
)`).Scan(&s.step)
	if err != nil {
		return nil, fmt.Errorf("look up the last step of the replication: %w", err)
	}
	return s, nil
}

// bind binds the slot to the statements of a context, and a table with its floor, unless it is nil.
func (s *store) bind(ctx context.Context, t *tableState) context.Context {
	params := clickhouse.StringParams("slot", s.slot)
	if t != nil {
		params.String("table", t.name)
		params["floor"] = fmt.Sprint(t.floor)
	}
	return clickhouse.WithParams(ctx, params)
}

// load reads what is kept of the source.
func (s *store) load(ctx context.Context) (*state, error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	st := &state{tables: map[string]*tableState{}}
	var timeline uint32
	var confirmed uint64
	err := s.conn.QueryRow(s.bind(ctx, nil), `
SELECT system_identifier, timeline, base, confirmed, committed_at, caught_up_at, taken_at
FROM replication_sources FINAL
WHERE slot = {slot:String}`).Scan(&st.source.system, &timeline, &st.source.base, &confirmed, &st.source.committedAt,
		&st.source.caughtUpAt, &st.source.savedAt)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read how far the source was replicated: %w", err)
	}
	st.exists = err == nil
	st.source.timeline, st.source.confirmed = int32(timeline), pglogrepl.LSN(confirmed)
	return st, s.loadTables(ctx, st)
}

func (s *store) loadTables(ctx context.Context, st *state) error {
	return s.read(ctx, "the states of tables", nil, `
SELECT table_name, toString(record_type), toString(state), relation, floor, snapshot, partitions, files, is_shared, copied, inserted, updated, deleted, truncated, rejected
FROM replication_tables FINAL
WHERE slot = {slot:String}`, func(scan clickhouse.Scan) error {
		t := &tableState{}
		c := &t.counts
		var ids, nodes []uint32
		var kind string
		var known bool
		if err := scan(&t.name, &kind, &t.state, &t.relation, &t.floor, &t.snapshot, &ids, &nodes, &t.shared,
			&c.Copied, &c.Inserted, &c.Updated, &c.Deleted, &c.Truncated, &c.Rejected); err != nil {
			return err
		}
		if t.record, known = record.ParseKind(kind); !known {
			return fmt.Errorf("record type %q of table %s is unknown: has a newer release replicated it?", kind, t.name)
		}
		t.files = source.FilesFrom(ids, nodes)
		st.tables[t.name] = t
		return nil
	})
}

// read calls f for each row of a query. The slot is bound to it, and a table with its floor, unless it is nil.
func (s *store) read(ctx context.Context, what string, t *tableState, query string, f func(clickhouse.Scan) error) error {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	if err := clickhouse.ForEach(s.bind(ctx, t), s.conn, query, f); err != nil {
		return fmt.Errorf("read %s: %w", what, err)
	}
	return nil
}

// saveSource notes how far the source was replicated. What it counts on must be durable before.
func (s *store) saveSource(ctx context.Context, st *sourceState) error {
	return s.insert(ctx, "INSERT INTO replication_sources (slot, system_identifier, timeline, base, confirmed, committed_at, caught_up_at, taken_at, step)",
		[]any{s.slot, st.system, uint32(st.timeline), st.base, uint64(st.confirmed), st.committedAt, st.caughtUpAt, time.Now(), s.next()})
}

// saveTables notes the states of tables.
func (s *store) saveTables(ctx context.Context, tables ...*tableState) error {
	rows := make([][]any, len(tables))
	for i, t := range tables {
		c := &t.counts
		ids, nodes := t.files.Arrays()
		rows[i] = []any{
			s.slot, t.name, t.record.String(), t.state, t.relation, t.floor, t.snapshot, ids, nodes, t.shared,
			c.Copied, c.Inserted, c.Updated, c.Deleted, c.Truncated, c.Rejected, s.next(),
		}
	}
	return s.insert(ctx, `INSERT INTO replication_tables (slot, table_name, record_type, state, relation, floor, snapshot, partitions, files, is_shared,
    copied, inserted, updated, deleted, truncated, rejected, step)`, rows...)
}

func (s *store) next() uint64 {
	s.step++
	return s.step
}

// insert writes a few rows in one block.
func (s *store) insert(ctx context.Context, statement string, rows ...[]any) error {
	if len(rows) == 0 {
		return nil
	}
	ctx, cancel := s.statement(ctx)
	defer cancel()
	batch, err := s.conn.PrepareBatch(ctx, statement)
	for i := 0; err == nil && i < len(rows); i++ {
		if err = batch.Append(rows[i]...); err != nil {
			_ = batch.Abort()
		}
	}
	if err == nil {
		err = batch.Send()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// saveChunks notes the chunks of a copy, laid out or done.
func (s *store) saveChunks(ctx context.Context, t *tableState, chunks ...*snapshot.Chunk) error {
	rows := make([][]any, len(chunks))
	for i, c := range chunks {
		rows[i] = []any{s.slot, t.name, c.Table, c.First, c.End, t.floor, c.Rows, s.next(), c.Done}
	}
	return s.insert(ctx, `INSERT INTO replication_chunks (slot, table_name, part_name, first_page, end_page, floor, copied, step, is_done)`,
		rows...)
}

// loadChunks reads the chunks of a table's present copy.
func (s *store) loadChunks(ctx context.Context, t *tableState) (chunks []*snapshot.Chunk, err error) {
	err = s.read(ctx, "the chunks of "+t.name, t, `
SELECT part_name, first_page, end_page, copied, is_done
FROM replication_chunks FINAL
WHERE slot = {slot:String} AND table_name = {table:String} AND floor = {floor:UInt64}
ORDER BY part_name, first_page`, func(scan clickhouse.Scan) error {
		c := &snapshot.Chunk{}
		chunks = append(chunks, c)
		return scan(&c.Table, &c.First, &c.End, &c.Rows, &c.Done)
	})
	return chunks, err
}
