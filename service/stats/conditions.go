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
	times    int    // parameters for times so far
	userNo   uint32 // see Plan
}

func newBuilder(q Question) *builder {
	b := &builder{question: q, params: clickhouse.Params{}}
	b.params.String("org_id", q.OrgID)
	return b
}

// kb is the condition on files.
func (b *builder) kb() string {
	window := []Stretch{{b.question.From, b.question.Until}}
	return all([]string{"org_id = {org_id:String}", b.within("processed_at", window), "processing_status IN ('', 'completed')"})
}

// messageKey are the conditions on the sorting key of messages.
func (b *builder) messageKey(stretches []Stretch) []string {
	return []string{"org_id = {org_id:String}", b.within("created_at", stretches)}
}

// messageFilters are the conditions on other columns of messages.
func (b *builder) messageFilters() []string {
	conditions := b.users()
	if b.question.AgentID != "" {
		b.params.String("agent_id", b.question.AgentID)
		conditions = append(conditions, "agent_id = {agent_id:String}")
	}
	return conditions
}

// cells is the condition on cells: the plan's buckets of each grain, of the agent or of all. It is "" when the plan has
// none.
func (b *builder) cells(p Plan) string {
	var grains []string
	for _, part := range p.Parts {
		switch part.Source {
		case Months, Days, Hours:
			grains = append(grains, "grain = '"+string(part.Source.grain())+"' AND "+b.within("bucket", part.Stretches))
		}
	}
	if len(grains) == 0 {
		return ""
	}
	b.params.String("agent_id", b.question.AgentID) // '' is the cell of all agents
	return prewhere([]string{"org_id = {org_id:String}", "agent_id = {agent_id:String}", anyOf(grains)}, nil)
}

// activity is the condition on user activity.
func (b *builder) activity(stretches []Stretch) string {
	key := []string{
		"org_id = {org_id:String}",
		b.within("month", wholeMonths(stretches)),
		b.userNumbers(),
		b.within("day", stretches),
	}
	if b.question.AgentID == "" {
		return prewhere(key, nil)
	}
	b.params.String("agent_id", b.question.AgentID)
	return prewhere(key, []string{"agent_no IN (SELECT agent_no FROM agents WHERE org_id = {org_id:String} AND agent_id = {agent_id:String})"})
}

// wholeMonths are the months that stretches reach into, by which user_activity is sorted.
func wholeMonths(stretches []Stretch) []Stretch {
	months := make([]Stretch, len(stretches))
	for i, s := range stretches {
		months[i] = Stretch{cells.Month.Start(s.From), s.Until}
	}
	return months
}

// userMonths is the condition on the months of the question's users.
func (b *builder) userMonths(stretches []Stretch) string {
	return prewhere([]string{"org_id = {org_id:String}", b.userNumbers(), b.within("month", stretches)}, nil)
}

// userNumbers is the condition that user_no is one of the question's users.
func (b *builder) userNumbers() string {
	if b.userNo != 0 {
		b.params.Int64("user_no", int64(b.userNo))
		return "user_no = {user_no:UInt32}"
	}
	conditions := append([]string{"org_id = {org_id:String}"}, b.user()...)
	table := "users"
	if metadata := b.metadata(); metadata != "" {
		table = "members FINAL"
		conditions = append(conditions, metadata)
	}
	return "user_no IN (SELECT user_no FROM " + table + " WHERE " + strings.Join(conditions, " AND ") + ")"
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

// users are the conditions on user_id of the question's filters on users.
func (b *builder) users() []string {
	conditions := b.user()
	if metadata := b.metadata(); metadata != "" {
		conditions = append(conditions, "user_id IN (SELECT user_id FROM members FINAL WHERE org_id = {org_id:String} AND "+metadata+")")
	}
	return conditions
}

// user is the condition that a row is of the one user whom the question is about, if it is about one.
func (b *builder) user() []string {
	if b.question.UserID == "" {
		return nil
	}
	b.params.String("user_id", b.question.UserID)
	return []string{"user_id = {user_id:String}"}
}

// metadata is the condition on a member's metadata, "" when the question has none.
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

// within is the condition that a time column lies in one of the stretches. Ends are bound as the last millisecond,
// because the first one after may lie beyond what the column can hold.
func (b *builder) within(column string, stretches []Stretch) string {
	var conditions []string
	for _, s := range stretches {
		b.times++
		first, last := fmt.Sprintf("first_%d", b.times), fmt.Sprintf("last_%d", b.times)
		b.params.Int64(first, s.From)
		b.params.Int64(last, s.Until-1)
		conditions = append(conditions, fmt.Sprintf(
			"%[1]s BETWEEN fromUnixTimestamp64Milli({%[2]s:Int64}, 'UTC') AND fromUnixTimestamp64Milli({%[3]s:Int64}, 'UTC')", column, first, last))
	}
	return anyOf(conditions)
}

func all(conditions []string) string { return strings.Join(conditions, "\n          AND ") }

func anyOf(conditions []string) string {
	if len(conditions) == 1 {
		return conditions[0]
	}
	return "(" + strings.Join(conditions, "\n            OR ") + ")"
}
