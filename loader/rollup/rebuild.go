package rollup

import (
	"context"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// MarkAll marks all hours of the organizations as stale, those of every organization if none is given: the hours that
// have messages, and those that cells or activity stand for, rightly or not. Compute then computes them anew.
func (r *Rollups) MarkAll(ctx context.Context, organizations []string) error {
	hours := map[hour]struct{}{}
	query := `
SELECT DISTINCT toString(org_id), toInt32(intDiv(toUnixTimestamp64Milli(` + cells.Hour.StartSQL("at") + `), 3600000))
FROM
(
    SELECT org_id, created_at AS at FROM messages WHERE org_id != ''
    UNION ALL
    SELECT org_id, bucket AS at FROM stats_cells FINAL
    UNION ALL
    SELECT org_id, hour AS at FROM user_activity FINAL
)`
	var keys *clickhouse.Keys
	if len(organizations) > 0 {
		keys = clickhouse.StringKeys("org_id", organizations)
		query += `
WHERE org_id IN (SELECT org_id FROM keys)`
	}
	err := clickhouse.LookUp(ctx, r.conn, "the hours to rebuild", keys, query, func(scan clickhouse.Scan) error {
		var h hour
		err := scan(&h.orgID, &h.number)
		hours[h] = struct{}{}
		return err
	})
	if err != nil || len(hours) == 0 {
		return err
	}
	if _, err := r.writer.BeginStep(ctx); err != nil {
		return err
	}
	*r.touched = touched{} // everything may be wrong
	if err := r.stale.mark(ctx, cells.ChangeOfMessages, organizationsOf(hours), hours); err != nil {
		return err
	}
	if err := r.stale.written(ctx); err != nil {
		return err
	}
	return r.writer.EndStep(ctx)
}
