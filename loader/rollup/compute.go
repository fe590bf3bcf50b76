package rollup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Compute computes the cells and the activity of all stale hours, and then unmarks the hours. Until then, readers read
// them from the messages. It reports whether it was many days.
func (r *Rollups) Compute(ctx context.Context) (many bool, err error) {
	if len(r.stale.marked) == 0 {
		return false, nil
	}
	batch, err := r.writer.BeginStep(ctx)
	if err != nil {
		return false, err
	}
	c := &computation{Rollups: r, conn: r.conn, batch: batch, hours: r.stale.marked, others: r.stale.marked}
	if err := inTurn(ctx, c.countRows, c.chooseMonths, c.hide, c.wholeMonths, c.figures, r.stale.unmark); err != nil {
		return false, err
	}
	*r.touched = *newTouched()
	return c.rows != nil, r.writer.EndStep(ctx)
}

func inTurn(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// figures computes, of what is not computed in whole months, cells and activity side by side, neither of which needs
// the other.
func (c *computation) figures(ctx context.Context) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return c.cells(ctx) })
	both.Go(func() error { return c.activity(ctx) })
	return both.Wait()
}

// computation computes the cells and the activity of some hours.
type computation struct {
	*Rollups
	conn   clickhouse.Conn // where statements run
	batch  uint64
	hours  map[hour]struct{}
	rows   map[bucket]uint64   // messages in the months of the hours' organizations, about; nil: the hours are those of few days
	months map[bucket]struct{} // months of organizations that are computed as a whole,
	others map[hour]struct{}   // and the hours of all others
}

// Versions of the rows that a computation writes: what it computes replaces its tombstones.
func (c *computation) tombstoneVersion() uint64 { return 2 * c.batch }
func (c *computation) computeVersion() uint64   { return 2*c.batch + 1 }

// countRows counts the messages in the months of the organizations, so that statements get as much as they can handle.
// The granules of the table are counted, each for the month that it begins in: months of few messages may get none, and
// others more than they have. Hours of few days need no counting.
func (c *computation) countRows(ctx context.Context) error {
	if len(coarser(c.hours, cells.Day)) <= maxDays {
		return nil
	}
	c.rows = map[bucket]uint64{}
	return clickhouse.LookUp(ctx, c.conn, "the sizes of organizations", c.organizations(), `
SELECT toString(org_id), toUnixTimestamp64Milli(`+cells.Month.StartSQL("created_at")+`) AS month, sum(rows_in_granule)
FROM mergeTreeIndex(currentDatabase(), 'messages')
WHERE org_id IN (SELECT org_id FROM keys)
GROUP BY org_id, month`, func(scan clickhouse.Scan) error {
		var month bucket
		var n uint64
		err := scan(&month.orgID, &month.at, &n)
		c.rows[month] = n
		return err
	})
}

// versionColumns end the columns of every computed table.
const versionColumns = "version, is_deleted"

var cellColumns = "org_id, agent_id, grain, bucket,\n    " + cells.SetColumns + ",\n    " + cells.SumColumns + ",\n    " + versionColumns

// Cells of hours come from the messages. A message counts in the cell of its agent, if it has one, and in that of all
// agents, whose agent_id is empty.
var computeHoursSQL = `
INSERT INTO stats_cells (` + cellColumns + `)
SELECT
    org_id, cell_agent_id, 'hour', {start} AS hour_start,
    ` + cells.SetsOfNumbers + `,
    ` + cells.SumsOfMessages + `,
    {version:UInt64}, 0
FROM
(
    SELECT *, arrayJoin(if(agent_id = '', [''], ['', toString(agent_id)])) AS cell_agent_id
    FROM {messages}
    WHERE {within}
) AS messages
GROUP BY org_id, cell_agent_id, hour_start`

// Cells of days come from those of hours, cells of months from those of days.
var computeCoarserSQL = `
INSERT INTO stats_cells (` + cellColumns + `)
SELECT
    org_id, agent_id, {grain:String}, {start} AS coarser_bucket,
    groupBitmapMergeState(conversations), groupBitmapMergeState(users), groupBitmapMergeState(agents),
    ` + cells.SumsOf("stats_cells") + `,
    {version:UInt64}, 0
FROM stats_cells FINAL
WHERE grain = {finer:String} AND {within}
GROUP BY org_id, agent_id, coarser_bucket`

func versionParams(version uint64) clickhouse.Params {
	params := clickhouse.Params{}
	params.Int64("version", int64(version))
	return params
}

func (c *computation) cells(ctx context.Context) error {
	params := versionParams(c.computeVersion())
	if err := c.run(ctx, c.others, cells.Hour, "created_at", computeHoursSQL, params); err != nil {
		return err
	}
	for i, grain := range cells.Grains[1:] {
		params.String("grain", string(grain))
		params.String("finer", string(cells.Grains[i]))
		if err := c.run(ctx, c.others, grain, "bucket", computeCoarserSQL, params); err != nil {
			return err
		}
	}
	return nil
}

// activitySQL computes activity from rows that have sums, given the start of a row's hour.
func activitySQL(hourStart, sums, from string) string {
	return `
INSERT INTO user_activity (org_id, user_no, hour, conversation_no, agent_no,
    ` + cells.SumColumns + `,
    ` + versionColumns + `)
SELECT
    org_id, user_no, ` + hourStart + ` AS hour_start, conversation_no, any(agent_no),
    ` + sums + `,
    {version:UInt64}, 0
FROM ` + from + `
GROUP BY org_id, user_no, hour_start, conversation_no`
}

var computeActivitySQL = activitySQL("{start}", cells.SumsOfMessages, "{messages}\nWHERE {within}")

// activity computes the activity of the conversations that were touched, or of all when that is not remembered.
func (c *computation) activity(ctx context.Context) error {
	params := versionParams(c.computeVersion())
	if !c.touched.exact {
		return c.run(ctx, c.others, cells.Hour, "created_at", computeActivitySQL, params)
	}
	conversations := map[bucket][]uint32{}
	for key := range c.touched.activity {
		hour := bucket{key.orgID, key.start()}
		conversations[hour] = append(conversations[hour], key.conversationNo)
	}
	statement := strings.Replace(computeActivitySQL, "{within}",
		"{within} AND (org_id, {start}, conversation_no) IN (SELECT org_id, at, conversation_no FROM keys)", 1)
	for _, g := range groups(coarser(c.hours, cells.Hour), c.rows, 1) {
		var hours group
		var numbers []uint32
		for _, hour := range g {
			for _, no := range conversations[hour] {
				hours, numbers = append(hours, hour), append(numbers, no)
			}
		}
		if len(hours) == 0 {
			continue
		}
		keys := hours.keys().Add("conversation_no", "UInt32", numbers)
		if err := c.runGroup(ctx, hours, keys, cells.Hour, "created_at", statement, params); err != nil {
			return err
		}
	}
	return nil
}

// run runs a statement over the buckets that hold the hours, in as many parts as it needs. In the statement, {within}
// is the condition that a row, which has its time in the column, lies in one of the buckets, and {start} the start of
// its bucket.
func (c *computation) run(ctx context.Context, hours map[hour]struct{}, grain cells.Grain, column, statement string, params clickhouse.Params) error {
	for _, g := range groups(coarser(hours, grain), c.rows, 1) {
		if err := c.runGroup(ctx, g, g.keys(), grain, column, statement, params); err != nil {
			return err
		}
	}
	return nil
}

func (c *computation) runGroup(ctx context.Context, g group, keys *clickhouse.Keys, grain cells.Grain, column, statement string, params clickhouse.Params) error {
	from, until := g.bounds(grain.MaxLength())
	params.Millis("from", from)
	params.Millis("last", until-1)
	within := strings.ReplaceAll(`org_id IN (SELECT org_id FROM keys)
      AND column BETWEEN {from:DateTime64(3, 'UTC')} AND {last:DateTime64(3, 'UTC')}
      AND (org_id, {start}) IN (SELECT org_id, at FROM keys)`, "column", column)
	text := strings.NewReplacer("{within}", within, "{messages}", c.writer.Messages()).Replace(statement)
	text = strings.ReplaceAll(text, "{start}", grain.StartSQL(column))
	ctx, err := clickhouse.WithKeys(clickhouse.WithParams(ctx, params), keys)
	if err != nil {
		return err
	}
	if err := c.conn.Exec(ctx, text); err != nil {
		return fmt.Errorf("compute the %ss of %d buckets: %w", grain, len(g), err)
	}
	return nil
}

// keys returns the set of a group's buckets.
func (g group) keys() *clickhouse.Keys {
	orgs, times := make([]string, len(g)), make([]int64, len(g))
	for i, b := range g {
		orgs[i], times[i] = b.orgID, b.at
	}
	return clickhouse.StringKeys("org_id", orgs).Add("at", "DateTime64(3, 'UTC')", times)
}

// organizations returns the set of the hours' organizations.
func (c *computation) organizations() *clickhouse.Keys {
	return clickhouse.StringKeys("org_id", slices.Collect(maps.Keys(organizationsOf(c.hours))))
}
