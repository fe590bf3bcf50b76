package postgres

import (
	"context"
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
)

// chunk is a range of pages of a table, or of a partition, that is copied at once.
type chunk struct {
	part       string // table or partition, as SQL names it
	first, end uint32 // end 0: to the end
	copied     uint64
	done       bool
}

// saveChunks notes the chunks of a copy, laid out or done.
func (s *store) saveChunks(ctx context.Context, t *tableState, chunks ...*chunk) error {
	rows := make([][]any, len(chunks))
	for i, c := range chunks {
		done := uint8(0)
		if c.done {
			done = 1
		}
		rows[i] = []any{s.slot, t.name, c.part, c.first, c.end, t.floor, c.copied, s.next(), done}
	}
	return s.insert(ctx, `INSERT INTO replication_chunks (slot, table_name, part_name, first_page, end_page, floor, copied, step, is_done)`,
		rows...)
}

// loadChunks reads the chunks of a table's present copy.
func (s *store) loadChunks(ctx context.Context, t *tableState) (chunks []*chunk, err error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	params := clickhouse.Params{}
	params.String("slot", s.slot)
	params.String("table", t.name)
	params["floor"] = fmt.Sprint(t.floor)
	rows, err := s.conn.Query(clickhouse.WithParams(ctx, params), `
SELECT part_name, first_page, end_page, copied, is_done
FROM replication_chunks FINAL
WHERE slot = {slot:String} AND table_name = {table:String} AND floor = {floor:UInt64}
ORDER BY part_name, first_page`)
	if err != nil {
		return nil, fmt.Errorf("read the chunks of %s: %w", t.name, err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		c := &chunk{}
		var done uint8
		if err := rows.Scan(&c.part, &c.first, &c.end, &c.copied, &done); err != nil {
			return nil, fmt.Errorf("read the chunks of %s: %w", t.name, err)
		}
		c.done = done == 1
		chunks = append(chunks, c)
	}
	return chunks, rows.Err()
}
