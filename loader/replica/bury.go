package replica

import (
	"context"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
)

const buryCellsSQL = `
INSERT INTO stats_cells (org_id, agent_id, grain, bucket, version, is_deleted)
SELECT org_id, agent_id, grain, bucket, {version:UInt64}, 1
FROM stats_cells FINAL
WHERE grain = {grain:String} AND {within}`

const buryActivitySQL = `
INSERT INTO user_activity (org_id, user_no, day, conversation_no, version, is_deleted)
SELECT org_id, user_no, day, conversation_no, {version:UInt64}, 1
FROM user_activity FINAL
WHERE {within}`

const buryUserMonthsSQL = `
INSERT INTO user_months (org_id, user_no, month, version, is_deleted)
SELECT org_id, user_no, month, {version:UInt64}, 1
FROM user_months FINAL
WHERE {within}`

// bury hides the cells and the activity that may have no messages left: those that are remembered, or else whatever
// stands in the buckets that hold the hours.
func (c *computation) bury(ctx context.Context) error {
	if c.writer.touched.exact {
		return c.buryRemembered(ctx)
	}
	params := clickhouse.Params{}
	params.Int64("version", int64(c.buryVersion()))
	for _, grain := range []grain{hourGrain, dayGrain, monthGrain} {
		params.String("grain", grain.name)
		if err := c.run(ctx, grain, "bucket", buryCellsSQL, params); err != nil {
			return err
		}
	}
	if err := c.run(ctx, dayGrain, "day", buryActivitySQL, params); err != nil {
		return err
	}
	return c.run(ctx, monthGrain, "month", buryUserMonthsSQL, params)
}

func (c *computation) buryRemembered(ctx context.Context) error {
	var cells []buriedCell
	for key := range c.writer.touched.gone {
		cells = append(cells, buriedCells(key)...)
	}
	if err := c.buryCells(ctx, cells); err != nil {
		return err
	}
	var gone []activityKey
	for key, mayBeGone := range c.writer.touched.activity {
		if mayBeGone {
			gone = append(gone, key)
		}
	}
	if err := c.buryActivity(ctx, gone); err != nil {
		return err
	}
	var months []userMonthKey
	for key, mayBeGone := range c.writer.touched.userMonths() {
		if mayBeGone {
			months = append(months, key)
		}
	}
	return c.buryUserMonths(ctx, months)
}

type buriedCell struct {
	bucket
	agentID, grain string
}

// buriedCells are the cells of every grain, of the agent and of all agents, that hold an hour.
func buriedCells(key cellKey) []buriedCell {
	var cells []buriedCell
	for _, agentID := range slices.Compact([]string{"", key.agentID}) {
		for _, grain := range []grain{hourGrain, dayGrain, monthGrain} {
			at := grain.start(int64(key.number) * msPerHour)
			cells = append(cells, buriedCell{bucket{key.orgID, at}, agentID, grain.name})
		}
	}
	return cells
}

func (c *computation) buryCells(ctx context.Context, rows []buriedCell) error {
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, c.writer.conn, "INSERT INTO stats_cells (org_id, agent_id, grain, bucket, version, is_deleted)", rows,
		each(func(r *buriedCell) string { return r.orgID }),
		each(func(r *buriedCell) string { return r.agentID }),
		each(func(r *buriedCell) string { return r.grain }),
		each(func(r *buriedCell) int64 { return r.at }),
		same[buriedCell](c.buryVersion()), same[buriedCell](uint8(1)))
}

func (c *computation) buryActivity(ctx context.Context, rows []activityKey) error {
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, c.writer.conn, "INSERT INTO user_activity (org_id, user_no, day, conversation_no, version, is_deleted)", rows,
		each(func(k *activityKey) string { return k.orgID }),
		each(func(k *activityKey) uint32 { return k.userNo }),
		each(func(k *activityKey) int64 { return int64(k.day) * msPerDay }),
		each(func(k *activityKey) uint32 { return k.conversationNo }),
		same[activityKey](c.buryVersion()), same[activityKey](uint8(1)))
}

func (c *computation) buryUserMonths(ctx context.Context, rows []userMonthKey) error {
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, c.writer.conn, "INSERT INTO user_months (org_id, user_no, month, version, is_deleted)", rows,
		each(func(k *userMonthKey) string { return k.orgID }),
		each(func(k *userMonthKey) uint32 { return k.userNo }),
		each(func(k *userMonthKey) int64 { return k.at }),
		same[userMonthKey](c.buryVersion()), same[userMonthKey](uint8(1)))
}
