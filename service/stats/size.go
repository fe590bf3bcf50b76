package stats

import (
	"context"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// sizeAge is how long an organization's size is believed: it decides how fast an answer is, not what it is.
const sizeAge = time.Minute

// size is about how many messages an organization has in each month, by the month's start in milliseconds since 1970
// UTC.
type size map[int64]uint64

const sizeSQL = `
SELECT toUnixTimestamp64Milli(bucket), message_count
FROM stats_cells FINAL
WHERE org_id = {org_id:String} AND agent_id = '' AND grain = 'month'`

// readSize reads the size of an organization.
func readSize(ctx context.Context, conn clickhouse.Conn, orgID string) (size, error) {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), sizeSQL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	s := size{}
	for rows.Next() {
		var month int64
		var messages uint64
		if err := rows.Scan(&month, &messages); err != nil {
			return nil, err
		}
		s[month] = messages
	}
	return s, rows.Err()
}

// within is about how many messages a window has, if those of a month are spread evenly over it.
func (s size) within(from, until int64) (messages uint64) {
	for month, all := range s {
		next := Months.next(month)
		if overlap := min(until, next) - max(from, month); overlap > 0 {
			messages += uint64(float64(all) * float64(overlap) / float64(next-month))
		}
	}
	return messages
}
