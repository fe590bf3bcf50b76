package stats

import (
	"context"
	"math"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
)

const (
	msPerHour = 3_600_000
	msPerDay  = 24 * msPerHour
)

// changeCounter is the hour that stands for the organization itself in stale_hours.
const changeCounter = math.MinInt32

// state is what the loader says of an organization.
type state struct {
	// counter is greater after every change of the organization, and odd while one is being written.
	counter uint64
	// stale are the hours, since 1970-01-01 UTC and sorted, whose cells and activity can't be used.
	stale []int32
	size  size
}

const stateSQL = `
SELECT hour, step
FROM stale_hours FINAL
WHERE org_id = {org_id:String}
ORDER BY hour`

// readState reads an organization's change counter and stale hours. One that was never loaded has none of either.
func readState(ctx context.Context, conn clickhouse.Conn, orgID string) (counter uint64, stale []int32, err error) {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), stateSQL)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var hour int32
		var step uint64
		if err := rows.Scan(&hour, &step); err != nil {
			return 0, nil, err
		}
		if hour == changeCounter {
			counter = step
		} else {
			stale = append(stale, hour)
		}
	}
	return counter, stale, rows.Err()
}

// counterSQL reads the rows of the counter that were not merged yet. Every answer waits for it, so it does without what
// a statement can do without: aggregation, FINAL and a second thread.
const counterSQL = `
SELECT step
FROM stale_hours
PREWHERE org_id = {org_id:String} AND hour = {hour:Int32}
SETTINGS max_threads = 1`

// readCounter reads the counter alone. It only grows, so that the greatest of its rows is the last.
func readCounter(ctx context.Context, conn clickhouse.Conn, orgID string) (counter uint64, err error) {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	params.Int64("hour", changeCounter)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), counterSQL)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var step uint64
		if err := rows.Scan(&step); err != nil {
			return 0, err
		}
		counter = max(counter, step)
	}
	return counter, rows.Err()
}

// anyStale tells whether a stale hour lies in a stretch of time that begins and ends with an hour.
func (s state) anyStale(from, until int64) bool {
	i, _ := slices.BinarySearch(s.stale, int32((from-mod(from, msPerHour))/msPerHour))
	return i < len(s.stale) && int64(s.stale[i])*msPerHour < until
}
