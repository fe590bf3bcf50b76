package postgres

import (
	"context"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/postgres/source"
)

// Report is how a replication stands, whether one runs or not: what ClickHouse keeps of it, and what PostgreSQL says of
// its slot.
type Report struct {
	Slot            string
	Known           bool // false: nothing was ever replicated through the slot
	System          string
	Timeline        int32
	Confirmed       string    // LSN up to which everything is in ClickHouse
	Committed       time.Time // when the last change in ClickHouse was committed
	SavedAt         time.Time // when this was noted
	Tables          []TableStatus
	Chunks, Done    map[string]uint64 // of tables that are being copied
	Rejects         []RejectCount
	WaitingMessages uint64

	Source SourceReport
}

// RejectCount is how many rows of a table are no records for one field's sake, with one of the reasons.
type RejectCount struct {
	Table, Field, Reason, Key string
	Rows                      uint64
}

// SourceReport is what PostgreSQL says.
type SourceReport struct {
	Err      error        // PostgreSQL could not be queried
	Slot     *source.Slot // nil: there is none
	LagBytes int64
}

// Lag returns how long ago the oldest change that is not in ClickHouse can have been committed, 0 when there is none.
func (r *Report) Lag() time.Duration {
	if r.Source.LagBytes <= 0 || !r.Known {
		return 0
	}
	return max(time.Since(r.SavedAt), 0)
}

// ReadReport asks ClickHouse, and PostgreSQL as far as it answers.
func ReadReport(ctx context.Context, o Options) (*Report, error) {
	url, err := o.ClickHouse(ctx)
	if err != nil {
		return nil, err
	}
	s, err := openPlainStore(ctx, url, o.Slot)
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.conn.Close() }()
	st, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	r := &Report{
		Slot: o.Slot, Known: st.exists, System: st.source.system, Timeline: st.source.timeline, Confirmed: st.source.confirmed.String(),
		Committed: st.source.committedAt, SavedAt: st.source.savedAt, Tables: tableStatuses(st),
	}
	if err := s.report(ctx, r, st); err != nil {
		return nil, err
	}
	r.Source = readSource(ctx, o, st.source.confirmed)
	return r, nil
}

// report reads what goes beyond the state.
func (s *store) report(ctx context.Context, r *Report, st *state) error {
	r.Chunks, r.Done = map[string]uint64{}, map[string]uint64{}
	for name, t := range st.tables {
		if t.state != copying {
			continue
		}
		chunks, err := s.loadChunks(ctx, t)
		if err != nil {
			return err
		}
		for _, c := range chunks {
			r.Chunks[name]++
			if c.Done {
				r.Done[name]++
			}
		}
	}
	ctx, cancel := s.statement(ctx)
	defer cancel()
	var err error
	if r.WaitingMessages, err = clickhouse.Count(ctx, s.conn, "waiting_messages"); err != nil {
		return err
	}
	return s.read(ctx, "the rejects", nil, `
SELECT table_name, field, any(reason), any(source_key), count()
FROM replication_rejects FINAL
GROUP BY table_name, field
ORDER BY count() DESC
LIMIT 20`, func(scan clickhouse.Scan) error {
		var c RejectCount
		err := scan(&c.Table, &c.Field, &c.Reason, &c.Key, &c.Rows)
		r.Rejects = append(r.Rejects, c)
		return err
	})
}

func readSource(ctx context.Context, o Options, confirmed pglogrepl.LSN) (r SourceReport) {
	conn, err := source.Connect(ctx, o.URL)
	if err != nil {
		return SourceReport{Err: err}
	}
	defer source.CloseQuietly(conn)
	c := source.NewCatalog(conn)
	if r.Slot, r.Err = c.Slot(ctx, o.Slot); r.Err != nil || r.Slot == nil {
		return r
	}
	r.Err = conn.QueryRow(ctx, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1::text::pg_lsn)::bigint", confirmed.String()).Scan(&r.LagBytes)
	return r
}
