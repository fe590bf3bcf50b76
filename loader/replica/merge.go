package replica

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

// A request opens every part of the tables that it reads, and that is most of its time when it reads little of each.
// ClickHouse's own merges stop short of one part. So computing in bulk ends by merging what is small; large tables are
// left to ClickHouse.
const (
	mergeRows    = 100_000 // of a table that is small, at most
	mergesAtOnce = 4       // of different tables
)

// smallTables are those that requests read and that are small, usually. Nothing holds their merges back.
var smallTables = []string{"stale_hours", "kb_files", "members", "users", "agents"}

// mergeParts merges small tables when many days were computed.
func (c *computation) mergeParts(ctx context.Context) error {
	if c.rows == nil {
		return nil
	}
	const statement = `
SELECT table
FROM system.parts
WHERE active AND database = currentDatabase()
  AND table IN (SELECT name FROM keys)
GROUP BY table
HAVING count() > 1 AND sum(rows) <= {rows:UInt64}`
	var tables []string
	params := clickhouse.Params{}
	params.Int64("rows", mergeRows)
	err := query(clickhouse.WithParams(ctx, params), c.conn, "the parts of the tables", stringKeys("name", smallTables), statement, func(scan func(...any) error) error {
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
			if err := c.conn.Exec(ctx, "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
				return fmt.Errorf("merge the parts of %s: %w", table, err)
			}
			return nil
		})
	}
	return merges.Wait()
}
