package replica

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
)

// Compute brings the cells and the activity of all stale hours up to date, and then unmarks them. A reader takes the hours from the
// messages until then.
func (w *Writer) Compute(ctx context.Context) error {
	if len(w.stale.marked) == 0 {
		return nil
	}
	ctx, cancel := w.statement(ctx)
	defer cancel()
	if err := w.begin(ctx); err != nil {
		return err
	}
	spans := spansOf(w.stale.marked)
	for _, step := range []func(context.Context, []span) error{w.bury, w.computeCells, w.computeActivity} {
		if err := step(ctx, spans); err != nil {
			return err
		}
	}
	if err := w.stale.unmark(ctx); err != nil {
		return err
	}
	*w.touched = *newTouched()
	return w.finish(ctx)
}

// Stale is the number of hours that wait to be computed.
func (w *Writer) Stale() int { return len(w.stale.marked) }

// Versions of the rows that a computation writes: what it computes replaces what it buries.
func (w *Writer) buryVersion() uint64    { return 2 * w.batch }
func (w *Writer) computeVersion() uint64 { return 2*w.batch + 1 }

// bury hides what may have no messages left: what is remembered, or else whatever stands in the spans.
func (w *Writer) bury(ctx context.Context, spans []span) error {
	if w.touched.exact {
		return w.buryRemembered(ctx)
	}
	for grain, wide := range w.grains(spans) {
		err := w.run(ctx, "bury cells", wide, "bucket", `
INSERT INTO stats_cells (org_id, agent_id, grain, bucket, version, is_deleted)
SELECT org_id, agent_id, grain, bucket, {version:UInt64}, 1
FROM stats_cells FINAL
WHERE grain = '`+grain+`' AND {within}`, w.buryVersion())
		if err != nil {
			return err
		}
	}
	return w.run(ctx, "bury activity", widened(spans, span.days), "day", `
INSERT INTO user_activity (org_id, user_no, day, conversation_no, version, is_deleted)
SELECT org_id, user_no, day, conversation_no, {version:UInt64}, 1
FROM user_activity FINAL
WHERE {within}`, w.buryVersion())
}

// grains are the buckets of each grain that the spans reach into.
func (w *Writer) grains(spans []span) map[string][]span {
	return map[string][]span{"hour": spans, "day": widened(spans, span.days), "month": widened(spans, span.months)}
}

func (w *Writer) buryRemembered(ctx context.Context) error {
	if len(w.touched.gone) > 0 {
		var rows []buriedCell
		for key := range w.touched.gone {
			rows = append(rows, buriedCells(key)...)
		}
		if err := w.buryCells(ctx, rows); err != nil {
			return err
		}
	}
	var gone []activityKey
	for key, mayBeGone := range w.touched.activity {
		if mayBeGone {
			gone = append(gone, key)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return insertColumns(ctx, w.conn, "INSERT INTO user_activity (org_id, user_no, day, conversation_no, version, is_deleted)",
		columnOf(gone, func(k *activityKey) string { return k.orgID }),
		columnOf(gone, func(k *activityKey) uint32 { return k.userNo }),
		columnOf(gone, func(k *activityKey) int64 { return int64(k.day) * msPerDay }),
		columnOf(gone, func(k *activityKey) uint32 { return k.conversationNo }),
		repeat(len(gone), w.buryVersion()), repeat[uint8](len(gone), 1))
}

type buriedCell struct {
	orgID, agentID, grain string
	bucket                int64
}

// buriedCells are the cells of every grain, of the agent and of all agents, that hold an hour.
func buriedCells(key cellKey) []buriedCell {
	at := int64(key.number) * msPerHour
	s := span{key.orgID, at, at + 1}
	var cells []buriedCell
	for _, agentID := range slices.Compact([]string{"", key.agentID}) {
		cells = append(cells,
			buriedCell{key.orgID, agentID, "hour", at},
			buriedCell{key.orgID, agentID, "day", s.days().from},
			buriedCell{key.orgID, agentID, "month", s.months().from})
	}
	return cells
}

func (w *Writer) buryCells(ctx context.Context, rows []buriedCell) error {
	return insertColumns(ctx, w.conn, "INSERT INTO stats_cells (org_id, agent_id, grain, bucket, version, is_deleted)",
		columnOf(rows, func(r *buriedCell) string { return r.orgID }),
		columnOf(rows, func(r *buriedCell) string { return r.agentID }),
		columnOf(rows, func(r *buriedCell) string { return r.grain }),
		columnOf(rows, func(r *buriedCell) int64 { return r.bucket }),
		repeat(len(rows), w.buryVersion()), repeat[uint8](len(rows), 1))
}

const cellColumns = `org_id, agent_id, grain, bucket, conversations, users, agents,
    message_count, tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful, version, is_deleted`

// Cells of hours come from the messages. A message counts in the cell of its agent, if it has one, and in that of all
// agents, whose agent is ”.
const computeHoursSQL = `
INSERT INTO stats_cells (` + cellColumns + `)
SELECT
    org_id, cell_agent_id, 'hour', fromUnixTimestamp64Milli(hour_ms, 'UTC'),
    groupBitmapState(conversation_no), groupBitmapState(user_no), groupBitmapState(agent_no),
    count(), sum(tool_calls), sum(input_tokens), sum(output_tokens), sum(total_tokens), sum(helpful), sum(not_helpful),
    {version:UInt64}, 0
FROM
(
    SELECT
        *,
        toUnixTimestamp64Milli(created_at) - positiveModulo(toUnixTimestamp64Milli(created_at), 3600000) AS hour_ms,
        arrayJoin(if(agent_id = '', [''], ['', toString(agent_id)])) AS cell_agent_id
    FROM messages FINAL
    WHERE {within}
)
GROUP BY org_id, cell_agent_id, hour_ms`

// Cells of days come from those of hours, cells of months from those of days.
const computeCoarserSQL = `
INSERT INTO stats_cells (` + cellColumns + `)
SELECT
    org_id, agent_id, {grain:String}, {bucket} AS coarser_bucket,
    groupBitmapMergeState(conversations), groupBitmapMergeState(users), groupBitmapMergeState(agents),
    sum(message_count), sum(tool_calls), sum(input_tokens), sum(output_tokens), sum(total_tokens), sum(helpful), sum(not_helpful),
    {version:UInt64}, 0
FROM stats_cells FINAL
WHERE grain = {finer_grain:String} AND {within}
GROUP BY org_id, agent_id, coarser_bucket`

const (
	dayBucket   = "fromUnixTimestamp64Milli(toUnixTimestamp64Milli(bucket) - positiveModulo(toUnixTimestamp64Milli(bucket), 86400000), 'UTC')"
	monthBucket = "makeDateTime64(toYear(bucket), toMonth(bucket), 1, 0, 0, 0, 0, 3, 'UTC')"
)

func (w *Writer) computeCells(ctx context.Context, spans []span) error {
	if err := w.run(ctx, "compute hours", spans, "created_at", computeHoursSQL, w.computeVersion()); err != nil {
		return err
	}
	days, months := widened(spans, span.days), widened(spans, span.months)
	coarser := func(grain, finer, bucket string) string {
		return strings.NewReplacer("{grain:String}", "'"+grain+"'", "{finer_grain:String}", "'"+finer+"'", "{bucket}", bucket).Replace(computeCoarserSQL)
	}
	if err := w.run(ctx, "compute days", days, "bucket", coarser("day", "hour", dayBucket), w.computeVersion()); err != nil {
		return err
	}
	return w.run(ctx, "compute months", months, "bucket", coarser("month", "day", monthBucket), w.computeVersion())
}

const computeActivitySQL = `
INSERT INTO user_activity (org_id, user_no, day, conversation_no, agent_no,
    message_count, tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful, version, is_deleted)
SELECT
    org_id, user_no, fromUnixTimestamp64Milli(day_ms, 'UTC'), conversation_no, any(agent_no),
    count(), sum(tool_calls), sum(input_tokens), sum(output_tokens), sum(total_tokens), sum(helpful), sum(not_helpful),
    {version:UInt64}, 0
FROM
(
    SELECT *, toUnixTimestamp64Milli(created_at) - positiveModulo(toUnixTimestamp64Milli(created_at), 86400000) AS day_ms
    FROM messages FINAL
    WHERE {within}{only}
)
GROUP BY org_id, user_no, day_ms, conversation_no`

// computeActivity computes the activity of the touched conversations, or of all when they are not known.
func (w *Writer) computeActivity(ctx context.Context, spans []span) error {
	only := ""
	if w.touched.exact {
		type owned struct {
			orgID string
			no    uint32
		}
		conversations := map[owned]struct{}{}
		for key := range w.touched.activity {
			conversations[owned{key.orgID, key.conversationNo}] = struct{}{}
		}
		list := slices.Collect(maps.Keys(conversations))
		set := stringKeys("org_id", columnOf(list, func(o *owned) string { return o.orgID }))
		set.column("conversation_no", "UInt32", columnOf(list, func(o *owned) uint32 { return o.no }))
		var err error
		if ctx, err = set.attach(ctx); err != nil {
			return err
		}
		only = " AND (org_id, conversation_no) IN (SELECT org_id, conversation_no FROM keys)"
	}
	return w.run(ctx, "compute activity", widened(spans, span.days), "created_at", strings.Replace(computeActivitySQL, "{only}", only, 1), w.computeVersion())
}

// run runs a statement over spans, in as many parts as it takes.
func (w *Writer) run(ctx context.Context, what string, spans []span, column, statement string, version uint64) error {
	for _, group := range statements(spans) {
		params := clickhouse.Params{}
		params.Int64("version", int64(version))
		text := strings.Replace(statement, "{within}", within(column, group, params), 1)
		if err := w.conn.Exec(clickhouse.WithParams(ctx, params), text); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	return nil
}
