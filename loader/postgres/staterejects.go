package postgres

import (
	"context"
	"fmt"
)

// saveRejects notes versions of rows that are no records, and those that are right again.
func (s *store) saveRejects(ctx context.Context, rejects []reject) error {
	rows := make([][]any, len(rejects))
	for i, r := range rejects {
		field, reason, resolved := "", "", uint8(1)
		if r.cause != nil {
			field, reason, resolved = r.cause.Field, r.cause.Reason, 0
		}
		rows[i] = []any{r.table, r.key, r.record, field, reason, r.position, r.at, s.next(), resolved}
	}
	return s.insert(ctx, `INSERT INTO replication_rejects (table_name, source_key, record_type, field, reason, log_position, rejected_at,
    step, is_resolved)`, rows...)
}

// loadRejects reads which rows are wrong.
func (s *store) loadRejects(ctx context.Context) (*openRejects, error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	open := &openRejects{rows: map[rowKey]struct{}{}}
	rows, err := s.conn.Query(ctx, "SELECT table_name, source_key FROM replication_rejects FINAL")
	if err != nil {
		return nil, fmt.Errorf("read the rejects: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var row rowKey
		if err := rows.Scan(&row.table, &row.key); err != nil {
			return nil, fmt.Errorf("read the rejects: %w", err)
		}
		open.rows[row] = struct{}{}
	}
	return open, rows.Err()
}
