package main

import (
	"context"
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
)

// measureSizes looks up the sizes of the tables on disk.
func (b *bench) measureSizes(ctx context.Context, conn clickhouse.Conn) error {
	bytes := map[string]uint64{}
	err := clickhouse.ForEach(ctx, conn, `
SELECT table, sum(rows), count(), sum(bytes_on_disk)
FROM system.parts
WHERE database = currentDatabase() AND active
GROUP BY table
ORDER BY sum(bytes_on_disk) DESC`, func(scan clickhouse.Scan) error {
		var t tableSize
		if err := scan(&t.Table, &t.Rows, &t.Parts, &t.Bytes); err != nil {
			return err
		}
		bytes[t.Table] = t.Bytes
		b.report.Sizes.Tables = append(b.report.Sizes.Tables, t)
		return nil
	})
	if err != nil {
		return err
	}
	if bytes["messages"] == 0 {
		return fmt.Errorf("the table messages is empty; remove %s and try again", b.dir.path)
	}
	b.report.Sizes.CellsToMessages = float64(bytes["stats_cells"]+bytes["user_activity"]+bytes["user_months"]) / float64(bytes["messages"])
	b.report.printSizes(b.out)
	return nil
}
