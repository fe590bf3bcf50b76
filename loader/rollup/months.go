package rollup

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Months of which much is stale are computed as a whole: hours, days, the month, and what users did, from one look at
// the messages. Hours that were not stale are computed with them, and come out as they were.

// monthsShare says how much: the hours that are stale are at least one in so many of those that have cells.
const monthsShare = 2

// chooseMonths chooses the months of organizations to compute as a whole. Hours of few days are not looked at.
func (c *computation) chooseMonths(ctx context.Context) error {
	if c.rows == nil {
		return nil
	}
	stale := map[bucket]int{}
	for h := range c.hours {
		stale[monthOf(h)]++
	}
	stored, err := c.storedHours(ctx)
	if err != nil {
		return err
	}
	c.months, c.others = map[bucket]struct{}{}, map[hour]struct{}{}
	for h := range c.hours {
		if month := monthOf(h); stale[month]*monthsShare >= stored[month] {
			c.months[month] = struct{}{}
		} else {
			c.others[h] = struct{}{}
		}
	}
	return nil
}

func monthOf(h hour) bucket { return bucket{h.orgID, cells.Month.Start(h.start())} }

// storedHours counts the hours of the organizations' months that have a cell.
func (c *computation) storedHours(ctx context.Context) (map[bucket]int, error) {
	stored := map[bucket]int{}
	err := clickhouse.LookUp(ctx, c.conn, "the hours that have cells", c.organizations(), `
SELECT toString(org_id), toUnixTimestamp64Milli(`+cells.Month.StartSQL("bucket")+`) AS month, count()
FROM stats_cells FINAL
WHERE org_id IN (SELECT org_id FROM keys) AND agent_id = '' AND grain = 'hour'
GROUP BY org_id, month`, func(scan clickhouse.Scan) error {
		var month bucket
		var n uint64
		err := scan(&month.orgID, &month.at, &n)
		stored[month] = int(n)
		return err
	})
	return stored, err
}

// What such months need is computed in a session of its own, from a table that it alone sees and that ends with it: the
// messages of every conversation in every hour, summed up, which are a tenth of the messages.
var sumUpSQL = `
CREATE TEMPORARY TABLE conversation_hours AS
SELECT
    org_id, agent_id, conversation_no, user_no, agent_no, ` + cells.Hour.StartSQL("created_at") + ` AS hour_start,
    ` + cells.SumsOfMessages + `
FROM {messages}
WHERE {within}
GROUP BY org_id, agent_id, conversation_no, user_no, agent_no, hour_start
SETTINGS min_insert_block_size_rows = 65536` // several blocks, which several threads read

// What was summed up counts once for its agent and once for all agents. Rolling up makes the days of the hours, and the
// months of the days; what sums up more than a month is left out.
var wholeCellsSQL = `
INSERT INTO stats_cells (` + cellColumns + `)
SELECT
    org_id, cell_agent_id,
    multiIf(grouping(day_start) = 1, 'month', grouping(hour_start) = 1, 'day', 'hour') AS cell_grain,
    multiIf(cell_grain = 'month', month_start, cell_grain = 'day', day_start, hour_start),
    ` + cells.SetsOfNumbers + `,
    ` + cells.SumsOf("hours") + `,
    {version:UInt64}, 0
FROM
(
    SELECT
        *,
        arrayJoin(if(agent_id = '', [''], ['', toString(agent_id)])) AS cell_agent_id,
        ` + cells.Day.StartSQL("hour_start") + ` AS day_start,
        ` + cells.Month.StartSQL("hour_start") + ` AS month_start
    FROM conversation_hours
) AS hours
GROUP BY org_id, cell_agent_id, month_start, day_start, hour_start WITH ROLLUP
HAVING grouping(month_start) = 0`

var wholeActivitySQL = activitySQL("hour_start", cells.SumsOf("conversation_hours"), "conversation_hours")

// monthsAtOnce sessions are at work at a time: the end of each statement is the work of one thread.
const monthsAtOnce = 2

func (c *computation) wholeMonths(ctx context.Context) error {
	sessions, ctx := errgroup.WithContext(ctx)
	sessions.SetLimit(monthsAtOnce)
	for _, g := range groups(c.months, c.rows, monthsAtOnce) {
		sessions.Go(func() error { return c.wholeMonthsOf(ctx, g) })
	}
	return sessions.Wait()
}

// wholeMonthsOf computes the months of a group; the activity of users only where it is not remembered exactly what
// changed, since activity computes it otherwise.
func (c *computation) wholeMonthsOf(ctx context.Context, g group) (err error) {
	session, err := c.writer.Connect(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, session.Close()) }()
	of := *c
	of.conn = session
	if err := of.runGroup(ctx, g, g.keys(), cells.Month, "created_at", sumUpSQL, clickhouse.Params{}); err != nil {
		return err
	}
	statements := []string{wholeCellsSQL, wholeActivitySQL}
	if c.touched.exact {
		statements = statements[:1]
	}
	ctx = clickhouse.WithParams(ctx, versionParams(c.computeVersion()))
	for _, statement := range statements {
		if err := session.Exec(ctx, statement); err != nil {
			return fmt.Errorf("compute %d months: %w", len(g), err)
		}
	}
	return nil
}
