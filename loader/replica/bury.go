package replica

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
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

// Cells and activity that may have no messages left are hidden before they are computed: those that are remembered, or
// else whatever stands in the buckets that hold the hours.

func (c *computation) bury(ctx context.Context) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return c.buryCells(ctx) })
	both.Go(func() error { return inTurn(ctx, c.buryActivity, c.buryUserMonths) })
	return both.Wait()
}

func (c *computation) buryCells(ctx context.Context) error {
	if c.writer.touched.exact {
		var buried []buriedCell
		for key := range c.writer.touched.gone {
			buried = append(buried, buriedCells(key)...)
		}
		return c.insertBuriedCells(ctx, buried)
	}
	params := c.buryParams()
	for _, grain := range cells.Grains {
		params.String("grain", string(grain))
		if err := c.buryStored(ctx, "stats_cells", grain, "bucket", buryCellsSQL, params); err != nil {
			return err
		}
	}
	return nil
}

// buryStored buries whatever stands in the buckets that hold the hours.
func (c *computation) buryStored(ctx context.Context, table string, grain cells.Grain, column, statement string, params clickhouse.Params) error {
	if empty, err := c.writer.isEmpty(ctx, table); empty || err != nil {
		return err
	}
	return c.run(ctx, c.hours, grain, column, statement, params)
}

func (c *computation) buryActivity(ctx context.Context) error {
	if !c.writer.touched.exact {
		return c.buryStored(ctx, "user_activity", cells.Day, "day", buryActivitySQL, c.buryParams())
	}
	var gone []activityKey
	for key, mayBeGone := range c.writer.touched.activity {
		if mayBeGone {
			gone = append(gone, key)
		}
	}
	return c.insertBuriedActivity(ctx, gone)
}

func (c *computation) buryUserMonths(ctx context.Context) error {
	if !c.writer.touched.exact {
		return c.buryStored(ctx, "user_months", cells.Month, "month", buryUserMonthsSQL, c.buryParams())
	}
	var gone []userMonthKey
	for key, mayBeGone := range c.writer.touched.userMonths() {
		if mayBeGone {
			gone = append(gone, key)
		}
	}
	return c.insertBuriedUserMonths(ctx, gone)
}

func (c *computation) buryParams() clickhouse.Params {
	params := clickhouse.Params{}
	params.Int64("version", int64(c.buryVersion()))
	return params
}

type buriedCell struct {
	bucket
	agentID string
	grain   cells.Grain
}

// buriedCells are the cells of every grain, of the agent and of all agents, that hold an hour.
func buriedCells(key cellKey) []buriedCell {
	var buried []buriedCell
	for _, agentID := range slices.Compact([]string{"", key.agentID}) {
		for _, grain := range cells.Grains {
			buried = append(buried, buriedCell{bucket{key.orgID, grain.Start(key.start())}, agentID, grain})
		}
	}
	return buried
}

func (c *computation) insertBuriedCells(ctx context.Context, rows []buriedCell) error {
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, c.conn, "INSERT INTO stats_cells (org_id, agent_id, grain, bucket, version, is_deleted)", rows,
		each(func(r *buriedCell) string { return r.orgID }),
		each(func(r *buriedCell) string { return r.agentID }),
		each(func(r *buriedCell) string { return string(r.grain) }),
		each(func(r *buriedCell) int64 { return r.at }),
		same[buriedCell](c.buryVersion()), same[buriedCell](uint8(1)))
}

func (c *computation) insertBuriedActivity(ctx context.Context, rows []activityKey) error {
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, c.conn, "INSERT INTO user_activity (org_id, user_no, day, conversation_no, version, is_deleted)", rows,
		each(func(k *activityKey) string { return k.orgID }),
		each(func(k *activityKey) uint32 { return k.userNo }),
		each(func(k *activityKey) int64 { return int64(k.day) * cells.MsPerDay }),
		each(func(k *activityKey) uint32 { return k.conversationNo }),
		same[activityKey](c.buryVersion()), same[activityKey](uint8(1)))
}

func (c *computation) insertBuriedUserMonths(ctx context.Context, rows []userMonthKey) error {
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, c.conn, "INSERT INTO user_months (org_id, user_no, month, version, is_deleted)", rows,
		each(func(k *userMonthKey) string { return k.orgID }),
		each(func(k *userMonthKey) uint32 { return k.userNo }),
		each(func(k *userMonthKey) int64 { return k.at }),
		same[userMonthKey](c.buryVersion()), same[userMonthKey](uint8(1)))
}
