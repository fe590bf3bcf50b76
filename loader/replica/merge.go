package replica

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

// A request opens every part of the tables that it reads, and that is most of its time when it reads little of each. ClickHouse's own
// merges stop short of one part. So computing in bulk, which leaves many parts, ends by merging them.
//
// Rows are rewritten a few times at most: unless a table is small, it is merged when what came since makes a share of it, and not at all
// when it has grown so large that this would take minutes.
const (
	mergeSmall   = 100_000    // merged when it has no more rows than this, or
	fewParts     = 3          // when it has more parts than this,
	mergeShare   = 2          // when the largest part is less than so many times the others together,
	mergeMaxRows = 50_000_000 // and no more rows than this would be rewritten
	mergesAtOnce = 4          // of different tables
)

func (c *computation) mergeCells(ctx context.Context) error { return c.mergeParts(ctx, "stats_cells") }

func (c *computation) mergeOthers(ctx context.Context) error {
	return c.mergeParts(ctx, "user_activity", "user_months", "stale_hours", "kb_files", "members", "users", "agents")
}

// mergeParts merges those of some tables that have many parts, when many days were computed. Messages are none of them: requests read them as
// wide apart as they are asked about.
func (c *computation) mergeParts(ctx context.Context, among ...string) error {
	if c.rows == nil {
		return nil
	}
	const statement = `
SELECT table
FROM system.parts
WHERE active AND database = currentDatabase()
  AND table IN (SELECT name FROM keys)
GROUP BY table
HAVING count() > 1 AND (sum(rows) <= {small:UInt64}
    OR count() > {parts:UInt64} AND sum(rows) <= {rows:UInt64} AND max(rows) < {share:UInt64} * (sum(rows) - max(rows)))`
	var tables []string
	params := clickhouse.Params{}
	params.Int64("small", mergeSmall)
	params.Int64("parts", fewParts)
	params.Int64("share", mergeShare)
	params.Int64("rows", mergeMaxRows)
	err := query(clickhouse.WithParams(ctx, params), c.writer.conn, "the parts of the tables", stringKeys("name", among), statement, func(scan func(...any) error) error {
		var table string
		err := scan(&table)
		tables = append(tables, table)
		return err
	})
	if err != nil {
		return err
	}
	merges, ctx := errgroup.WithContext(ctx)
	merges.SetLimit(mergesAtOnce)
	for _, table := range tables {
		merges.Go(func() error {
			if err := c.writer.conn.Exec(ctx, "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
				return fmt.Errorf("merge the parts of %s: %w", table, err)
			}
			return nil
		})
	}
	return merges.Wait()
}
