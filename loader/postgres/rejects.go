package postgres

import (
	"context"
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/postgres/wal"
)

// saveRejects notes versions of rows that are no records, and those that are right again.
func (s *store) saveRejects(ctx context.Context, rejects []wal.Reject) error {
	rows := make([][]any, len(rejects))
	for i, r := range rejects {
		field, reason, resolved := "", "", uint8(1)
		if r.Cause != nil {
			field, reason, resolved = r.Cause.Field, r.Cause.Reason, 0
		}
		rows[i] = []any{r.Table, r.Key, r.Record.String(), field, reason, r.Position, r.RejectedAt, s.next(), resolved}
	}
	return s.insert(ctx, `INSERT INTO replication_rejects (table_name, source_key, record_type, field, reason, log_position, rejected_at,
    step, is_resolved)`, rows...)
}

// loadRejects reads which rows are wrong.
func (s *store) loadRejects(ctx context.Context) (*wal.OpenRejects, error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	open := &wal.OpenRejects{Rows: map[wal.RowKey]struct{}{}}
	err := clickhouse.ForEach(ctx, s.conn, "SELECT table_name, source_key FROM replication_rejects FINAL", func(scan clickhouse.Scan) error {
		var row wal.RowKey
		if err := scan(&row.Table, &row.Key); err != nil {
			return err
		}
		open.Rows[row] = struct{}{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the rejects: %w", err)
	}
	return open, nil
}

// staleRejects returns the rows of a table that were wrong before a copy, and of which the copy has said nothing: they
// are gone.
func (s *store) staleRejects(ctx context.Context, t *tableState) (rows []wal.RowKey, err error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	params := clickhouse.Params{}
	params.String("table", t.name)
	params["floor"] = fmt.Sprint(t.floor)
	err = clickhouse.ForEach(clickhouse.WithParams(ctx, params), s.conn, `
SELECT source_key
FROM replication_rejects FINAL
WHERE table_name = {table:String} AND log_position < {floor:UInt64}`, func(scan clickhouse.Scan) error {
		rows = append(rows, wal.RowKey{Table: t.name})
		return scan(&rows[len(rows)-1].Key)
	})
	if err != nil {
		return nil, fmt.Errorf("read the rejects: %w", err)
	}
	return rows, nil
}
