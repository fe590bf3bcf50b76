package postgres

import (
	"context"

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
	rows, err := s.wrongRows(ctx, nil, "true")
	return &wal.OpenRejects{Rows: rows}, err
}

// staleRejects returns the rows of a table that were wrong before a copy, and of which the copy has said nothing: they
// do not exist any more.
func (s *store) staleRejects(ctx context.Context, t *tableState) (map[wal.RowKey]struct{}, error) {
	return s.wrongRows(ctx, t, "table_name = {table:String} AND log_position < {floor:UInt64}")
}

func (s *store) wrongRows(ctx context.Context, t *tableState, condition string) (map[wal.RowKey]struct{}, error) {
	rows := map[wal.RowKey]struct{}{}
	err := s.read(ctx, "the rejects", t, "SELECT table_name, source_key FROM replication_rejects FINAL WHERE "+condition, func(scan clickhouse.Scan) error {
		var row wal.RowKey
		err := scan(&row.Table, &row.Key)
		rows[row] = struct{}{}
		return err
	})
	return rows, err
}
