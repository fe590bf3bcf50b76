package stats

import (
	"fmt"
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// builder builds the conditions of a statement and its parameters side by side.
type builder struct {
	question Question
	params   clickhouse.Params
	times    int // parameters for times so far
}

func newBuilder(q Question) *builder {
	b := &builder{question: q, params: clickhouse.Params{}}
	b.params.String("org_id", q.OrgID)
	return b
}

// processed returns the condition on files that count, of some intervals.
func (b *builder) processed(intervals []Interval) string {
	return all([]string{"org_id = {org_id:String}", b.within("processed_at", intervals), "processing_status IN ('', 'completed')"})
}

// messageKey returns the conditions on the sorting key of messages.
func (b *builder) messageKey(intervals []Interval) []string {
	return []string{"org_id = {org_id:String}", b.within("created_at", intervals)}
}

// messageFilters returns the conditions of the question's filters on messages.
func (b *builder) messageFilters() (conditions []string) {
	for _, filter := range Filters {
		if condition := filter.condition(b); condition != "" {
			conditions = append(conditions, condition)
		}
	}
	return conditions
}

// agent returns the condition that a row is of the one agent that the question is about, "" if it is about none.
func (b *builder) agent() string { return b.equals("agent_id", b.question.AgentID) }

// user returns the condition that a row is of the one user that the question is about, "" if it is about none.
func (b *builder) user() string { return b.equals("user_id", b.question.UserID) }

// equals returns the condition that a column has a value, "" if there is none.
func (b *builder) equals(column, value string) string {
	if value == "" {
		return ""
	}
	b.params.String(column, value)
	return fmt.Sprintf("%[1]s = {%[1]s:String}", column)
}

// userMetadata returns the condition that a row is of a user whose metadata match, "" when the question has none.
func (b *builder) userMetadata() string {
	metadata := b.metadata()
	if metadata == "" {
		return ""
	}
	return "user_id IN (SELECT user_id FROM members FINAL WHERE org_id = {org_id:String} AND " + metadata + ")"
}

// cells returns the conditions on cells: buckets of some agents.
func (b *builder) cells(pieces []piece, agents string) []string {
	var grains []string
	for _, grain := range messageRecords.grains {
		if intervals := intervalsOf(pieces, grain); len(intervals) > 0 {
			grains = append(grains, "grain = '"+string(grain)+"' AND "+b.within("bucket", intervals))
		}
	}
	return []string{"org_id = {org_id:String}", agents, anyOf(grains)}
}

// activity returns the condition on user activity, with conditions on columns that are not part of its sorting key.
func (b *builder) activity(intervals []Interval, conditions []string) string {
	key := []string{
		"org_id = {org_id:String}",
		b.months(intervals),
		b.userNumbers(),
		b.within("hour", intervals),
	}
	if agent := b.agent(); agent != "" {
		conditions = append(conditions, "agent_no IN (SELECT agent_no FROM agents WHERE org_id = {org_id:String} AND "+agent+")")
	}
	return prewhere(key, conditions)
}

// months returns the condition on the months that intervals reach into, by which user_activity is sorted. One user's
// rows are found faster where each month is named: a range of months ends in a granule that may hold the user, and does
// not.
func (b *builder) months(intervals []Interval) string {
	ranges := make([]Interval, len(intervals))
	for n, i := range intervals {
		ranges[n] = Interval{cells.Month.Start(i.From), i.Until}
	}
	if b.question.UserID == "" {
		return b.within("month", ranges)
	}
	var starts []int64
	for _, month := range unitsOf(ranges, cells.Month) {
		starts = append(starts, month.From)
	}
	b.params.AllMillis("months", starts)
	return "month IN {months:Array(DateTime64(3, 'UTC'))}"
}

// userNumbers returns the condition that user_no is one of the question's users.
func (b *builder) userNumbers() (condition string) {
	var conditions []string
	if user := b.user(); user != "" {
		conditions = append(conditions, "user_no IN (SELECT user_no FROM users WHERE org_id = {org_id:String} AND "+user+")")
	}
	if metadata := b.metadata(); metadata != "" {
		conditions = append(conditions, "user_no IN (SELECT user_no FROM members FINAL WHERE org_id = {org_id:String} AND "+metadata+")")
	}
	return all(conditions)
}

// prewhere puts conditions on columns of the sorting key before FINAL, which then has less to merge: all rows that
// FINAL merges have the same key, so that it makes no difference to the result. It would with any other column:
// conditions on those come after FINAL.
func prewhere(key, others []string) string {
	text := "PREWHERE " + all(key)
	if len(others) > 0 {
		text += `
        WHERE ` + all(others)
	}
	return text
}

// metadata returns the condition on a member's metadata, "" when the question has none.
func (b *builder) metadata() string {
	key, value := b.question.MetadataKey, b.question.MetadataValue
	if key != "" {
		b.params.String("metadata_key", key)
	}
	if value != "" {
		b.params.String("metadata_value", value)
	}
	switch {
	case key != "" && value != "":
		return "arrayExists((path, value) -> path = {metadata_key:String} AND value = {metadata_value:String}, metadata_pair_paths, metadata_pair_values)"
	case key != "":
		return "has(metadata_paths, {metadata_key:String})"
	case value != "":
		return "has(metadata_pair_values, {metadata_value:String})"
	}
	return ""
}

// maxRanges is how many intervals a condition names one by one: ClickHouse takes long to find the rows of many ranges,
// and limits the length of a statement.
const maxRanges = 64

// within returns the condition that a time column lies in one of the intervals. Ends are bound as the last millisecond,
// because the first one after may lie beyond what the column can hold.
func (b *builder) within(column string, intervals []Interval) string {
	var possible []Interval
	for _, i := range intervals {
		if i = i.possible(); i.From < i.Until {
			possible = append(possible, i)
		}
	}
	if len(possible) > maxRanges {
		return b.withinMany(column, possible)
	}
	var conditions []string
	for _, i := range possible {
		conditions = append(conditions, b.between(column, i))
	}
	if len(conditions) == 0 {
		return "false"
	}
	return anyOf(conditions)
}

// between returns the condition that a time column lies in an interval.
func (b *builder) between(column string, i Interval) string {
	b.times++
	first, last := fmt.Sprintf("first_%d", b.times), fmt.Sprintf("last_%d", b.times)
	b.params.Millis(first, i.From)
	b.params.Millis(last, i.Until-1)
	return fmt.Sprintf("%s BETWEEN {%s:DateTime64(3, 'UTC')} AND {%s:DateTime64(3, 'UTC')}", column, first, last)
}

// withinMany returns the condition that a time column lies in one of many intervals: of all their bounds, the last one
// that is not after the time is where one begins. The rows are found by the range of all.
func (b *builder) withinMany(column string, intervals []Interval) string {
	var bounds, starts []int64
	for _, i := range mergeIntervals(intervals, nil) {
		bounds, starts = append(bounds, i.From, i.Until), append(starts, i.From)
	}
	within := b.between(column, Interval{bounds[0], bounds[len(bounds)-1]})
	bound, start := fmt.Sprintf("bounds_%d", b.times), fmt.Sprintf("starts_%d", b.times)
	b.params.Int64s(bound, bounds)
	b.params.Int64s(start, starts)
	return fmt.Sprintf("%s AND roundDown(toUnixTimestamp64Milli(%s), {%s:Array(Int64)}) IN {%s:Array(Int64)}", within, column, bound, start)
}

// startOf returns, in SQL, the start of the interval that holds a column's time, which must lie in one of them.
func (b *builder) startOf(column string, starts []int64) string {
	b.params.Int64s("starts", starts)
	return "toInt64(roundDown(toUnixTimestamp64Milli(" + column + "), {starts:Array(Int64)}))"
}

// all returns the condition that all conditions hold; "" is none.
func all(conditions []string) string {
	return strings.Join(without(conditions, func(c string) bool { return c == "" }), "\n          AND ")
}

func anyOf(conditions []string) string {
	if len(conditions) == 1 {
		return conditions[0]
	}
	return "(" + strings.Join(conditions, "\n            OR ") + ")"
}
