package replica

import (
	"context"
	"fmt"
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/schema/cells"
)

// remainingPage is how many records are deleted at once.
const remainingPage = 20_000

// remaining returns the statement that reads, a page at a time, the records that came from a WAL up to an LSN and are
// not deleted themselves.
func (s *schema) remaining() string {
	return s.latest(s.position+", "+s.key, "("+s.sortKey+") > ("+s.after+")") + `
AND deleted_at IS NULL AND log_position BETWEEN 1 AND {last:UInt64}
LIMIT {limit:UInt64}`
}

// sortKey is the sort key of a row.
type sortKey struct {
	orgID string
	at    int64
	id    string
}

// firstKey is before every row.
var firstKey = sortKey{at: cells.MinTime}

// DeleteRemaining deletes, as by a change at an LSN that was made at a time in milliseconds, all records of a kind that
// came from a WAL and whose LSN is last or before it. It may be cut off and done again.
func (w *Writer) DeleteRemaining(ctx context.Context, kind record.Kind, last, lsn uint64, at int64) (deleted int, err error) {
	for after := firstKey; ; {
		batch, end, err := w.remaining(ctx, kind, last, lsn, at, after)
		if err != nil {
			return deleted, err
		}
		if _, err := w.Apply(ctx, batch); err != nil {
			return deleted, err
		}
		deleted += batch.Len()
		if batch.Len() < remainingPage {
			return deleted, nil
		}
		after = end
	}
}

// remaining returns the tombstones of one page, and where the page ends.
func (w *Writer) remaining(ctx context.Context, kind record.Kind, last, lsn uint64, at int64, after sortKey) (*Batch, sortKey, error) {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	params := clickhouse.Params{}
	params.String("org", after.orgID)
	params.Millis("at", after.at)
	params.String("id", after.id)
	params["last"] = fmt.Sprint(last)
	params.Int64("limit", remainingPage)
	batch, end := NewBatch(0), after
	err := clickhouse.LookUp(clickhouse.WithParams(ctx, params), w.conn, "remaining records", nil, w.tables[kind].schema().remaining(), func(scan clickhouse.Scan) error {
		var key string
		if err := scan(&end.orgID, &end.at, &end.id, &key); err != nil {
			return err
		}
		batch.Add(record.NewTombstone(kind, key, lsn, at))
		return nil
	})
	return batch, end, err
}

// LastLSN returns the greatest LSN that any record came with.
func (w *Writer) LastLSN(ctx context.Context) (last uint64, err error) {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	var all []string
	for _, t := range w.tables {
		all = append(all, "SELECT max(log_position) AS last FROM "+t.schema().name)
	}
	err = w.conn.QueryRow(ctx, "SELECT max(last) FROM ("+strings.Join(all, " UNION ALL ")+")").Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("look up the last LSN: %w", err)
	}
	return last, nil
}
