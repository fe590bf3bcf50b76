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
	rows, err := s.conn.Query(ctx, "SELECT table_name, source_key FROM replication_rejects FINAL")
	if err != nil {
		return nil, fmt.Errorf("read the rejects: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row wal.RowKey
		if err := rows.Scan(&row.Table, &row.Key); err != nil {
			return nil, fmt.Errorf("read the rejects: %w", err)
		}
		open.Rows[row] = struct{}{}
	}
	return open, rows.Err()
}

// staleRejects are the rows of a table that were wrong before a copy, and of which the copy has said nothing: they are
// gone.
func (s *store) staleRejects(ctx context.Context, t *tableState) (rows []wal.RowKey, err error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	params := clickhouse.Params{}
	params.String("table", t.name)
	params["floor"] = fmt.Sprint(t.floor)
	found, err := s.conn.Query(clickhouse.WithParams(ctx, params), `
SELECT source_key
FROM replication_rejects FINAL
WHERE table_name = {table:String} AND log_position < {floor:UInt64}`)
	if err != nil {
		return nil, fmt.Errorf("read the rejects: %w", err)
	}
	defer func() { _ = found.Close() }()
	for found.Next() {
		row := wal.RowKey{Table: t.name}
		if err := found.Scan(&row.Key); err != nil {
			return nil, fmt.Errorf("read the rejects: %w", err)
		}
		rows = append(rows, row)
	}
	return rows, found.Err()
}
