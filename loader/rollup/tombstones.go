package rollup

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Rows that may have no messages left are hidden by tombstones before the others are computed: those that are
// remembered, or else whatever the tables have in the buckets that hold the hours.

// hide writes the tombstones.
func (c *computation) hide(ctx context.Context) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return c.hideCells(ctx) })
	both.Go(func() error { return c.hideActivity(ctx) })
	return both.Wait()
}

func (c *computation) hideCells(ctx context.Context) error {
	if c.touched.exact {
		var keys []cellTombstone
		for key := range c.touched.gone {
			keys = append(keys, cellTombstones(key)...)
		}
		return hideKeys(ctx, c, "stats_cells", keys,
			clickhouse.Value("org_id", func(k *cellTombstone) string { return k.orgID }),
			clickhouse.Value("agent_id", func(k *cellTombstone) string { return k.agentID }),
			clickhouse.Value("grain", func(k *cellTombstone) string { return string(k.grain) }),
			clickhouse.Value("bucket", func(k *cellTombstone) int64 { return k.at }))
	}
	for _, grain := range cells.Grains {
		only := "grain = '" + string(grain) + "' AND "
		if err := c.hideStored(ctx, "stats_cells", "org_id, agent_id, grain, bucket", grain, "bucket", only); err != nil {
			return err
		}
	}
	return nil
}

// hideStored hides whatever a table has in the buckets that hold the hours, given the columns that its sort key follows
// from, that of the bucket, and what else must hold of a row.
func (c *computation) hideStored(ctx context.Context, table, key string, grain cells.Grain, column, only string) error {
	if rows, err := clickhouse.Count(ctx, c.conn, table); rows == 0 || err != nil {
		return err
	}
	return c.run(ctx, c.hours, grain, column, strings.NewReplacer("{table}", table, "{key}", key, "{only}", only).Replace(`
INSERT INTO {table} ({key}, version, is_deleted)
SELECT {key}, {version:UInt64}, 1
FROM {table} FINAL
WHERE {only}{within}`), versionParams(c.tombstoneVersion()))
}

func (c *computation) hideActivity(ctx context.Context) error {
	if !c.touched.exact {
		return c.hideStored(ctx, "user_activity", "org_id, user_no, hour, conversation_no", cells.Hour, "hour", "")
	}
	var keys []activityKey
	for key, mayBeGone := range c.touched.activity {
		if mayBeGone {
			keys = append(keys, key)
		}
	}
	return hideKeys(ctx, c, "user_activity", keys,
		clickhouse.Value("org_id", func(k *activityKey) string { return k.orgID }),
		clickhouse.Value("user_no", func(k *activityKey) uint32 { return k.userNo }),
		clickhouse.Value("hour", func(k *activityKey) int64 { return k.start() }),
		clickhouse.Value("conversation_no", func(k *activityKey) uint32 { return k.conversationNo }))
}

// cellTombstone is the key of a cell.
type cellTombstone struct {
	bucket
	agentID string
	grain   cells.Grain
}

// cellTombstones returns the cells of every grain, of the agent and of all agents, that hold an hour.
func cellTombstones(key cellKey) (all []cellTombstone) {
	for _, agentID := range slices.Compact([]string{"", key.agentID}) {
		for _, grain := range cells.Grains {
			all = append(all, cellTombstone{bucket{key.orgID, grain.Start(key.start())}, agentID, grain})
		}
	}
	return all
}

// hideKeys writes tombstones of keys, given the columns of the table's sort key.
func hideKeys[K any](ctx context.Context, c *computation, table string, keys []K, key ...clickhouse.Column[K]) error {
	if len(keys) == 0 {
		return nil
	}
	return clickhouse.Insert(ctx, c.conn, table, keys,
		append(key, clickhouse.Constant[K]("version", c.tombstoneVersion()), clickhouse.Constant[K]("is_deleted", uint8(1)))...)
}
