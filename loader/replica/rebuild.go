package replica

import (
	"context"

	"github.com/orgstats/orgstats/schema/cells"
)

// MarkAll marks all hours of the organizations as stale, those of every organization if none is given: the hours that
// have messages, and those that cells or activity stand for, rightly or not. Compute then computes them anew; readers
// take them from the messages meanwhile.
func (w *Writer) MarkAll(ctx context.Context, organizations []string) error {
	ctx, cancel := w.statement(ctx)
	defer cancel()
	hours, owners := map[hour]struct{}{}, map[string]struct{}{}
	statement := `
SELECT DISTINCT toString(org_id), toInt32(intDiv(toUnixTimestamp64Milli(` + cells.Hour.StartSQL("at") + `), 3600000))
FROM
(
    SELECT org_id, created_at AS at FROM messages WHERE org_id != ''
    UNION ALL
    SELECT org_id, bucket AS at FROM stats_cells FINAL
    UNION ALL
    SELECT org_id, day AS at FROM user_activity FINAL
    UNION ALL
    SELECT org_id, month AS at FROM user_months FINAL
)`
	var set *keys
	if len(organizations) > 0 {
		set = stringKeys("org_id", organizations)
		statement += `
WHERE org_id IN (SELECT org_id FROM keys)`
	}
	err := query(ctx, w.conn, "the hours to rebuild", set, statement, func(scan func(...any) error) error {
		var h hour
		err := scan(&h.orgID, &h.number)
		hours[h], owners[h.orgID] = struct{}{}, struct{}{}
		return err
	})
	if err != nil || len(hours) == 0 {
		return err
	}
	if err := w.begin(ctx); err != nil {
		return err
	}
	*w.touched = touched{} // everything may be wrong
	if err := w.stale.mark(ctx, owners, hours); err != nil {
		return err
	}
	if err := w.stale.written(ctx); err != nil {
		return err
	}
	return w.finish(ctx)
}
