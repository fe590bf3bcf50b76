package stats

import (
	"fmt"
	"strings"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// Query is a statement and the parameters that it is bound to.
type Query struct {
	SQL    string
	Params clickhouse.Params
}

// PlainQuery asks the replicas themselves, without any help: what it answers is right by definition, and every faster
// way is held against it. Its columns are the figures of messages, and then those of files.
func PlainQuery(q Question) Query {
	b := newBuilder(q)
	return Query{`
SELECT *
FROM
(` + plainMessagesSQL + all(append(b.messageKey([]Stretch{{q.From, q.Until}}), b.messageFilters()...)) + `
) AS message_figures
CROSS JOIN
(` + kbSQL + b.kb() + `
) AS kb_figures`, b.params}
}

const plainMessagesSQL = `
    SELECT
        uniqExact(conversation_id)                  AS conversation_count,
        count()                                     AS message_count,
        sum(messages.tool_calls)                    AS tool_calls,
        sum(messages.total_tokens)                  AS total_tokens,
        sum(messages.input_tokens)                  AS input_tokens,
        sum(messages.output_tokens)                 AS output_tokens,
        uniqExact(user_id)                          AS unique_users,
        uniqExactIf(agent_id, agent_id != '')       AS unique_agents,
        sum(messages.helpful)                       AS helpful,
        sum(messages.not_helpful)                   AS not_helpful
    FROM messages FINAL
    WHERE `

// kbSQL asks for the processed files of the window, which no filter touches.
const kbSQL = `
    SELECT
        count()                                     AS kb_file_count,
        uniqExact(knowledge_base_id)                AS kb_count,
        sum(kb_files.total_tokens)                  AS kb_total_tokens,
        sum(kb_files.input_tokens)                  AS kb_input_tokens,
        sum(kb_files.output_tokens)                 AS kb_output_tokens
    FROM kb_files FINAL
    WHERE `

// Queries are the statements of the plan: one for the figures of messages, one for those of files. A plan that only the
// messages answer is one statement, for both.
func (p Plan) Queries() []Query {
	if p.Plain() {
		return []Query{PlainQuery(p.Question)}
	}
	b, files := newBuilder(p.Question), newBuilder(p.Question)
	var sources []string
	if cells := b.cells(p); cells != "" {
		sources = append(sources, cellsSQL+cells)
	}
	if stretches := p.stretches(UserMonths); stretches != nil {
		sources = append(sources, userMonthsSQL+b.userMonths(stretches))
	}
	if stretches := p.stretches(Activity); stretches != nil {
		sources = append(sources, activitySQL+b.activity(stretches))
	}
	if stretches := p.stretches(Messages); stretches != nil {
		sources = append(sources, messagesSQL+prewhere(b.messageKey(stretches), b.messageFilters()))
	}
	return []Query{
		{mergedSQL + strings.Join(sources, `
    UNION ALL`) + `
)` + p.threads(), b.params},
		{kbSQL + files.kb() + oneThread, files.params},
	}
}

// oneThread is for statements that read little: a second thread costs them more than it brings.
const oneThread = `
SETTINGS max_threads = 1`

// threads is the setting for the plan's statement. Only sets of users read much.
func (p Plan) threads() string {
	if p.Question.byMetadata() {
		return ""
	}
	return oneThread
}

// Distinct counts are cardinalities of merged bitmaps of dense numbers. Agent number 0 is no agent.
const mergedSQL = `
SELECT
    toUInt64(groupBitmapMerge(conversations)),
    sum(message_count),
    sum(tool_calls),
    sum(total_tokens),
    sum(input_tokens),
    sum(output_tokens),
    toUInt64(groupBitmapMerge(users)),
    toUInt64(groupBitmapMerge(agents) - bitmapContains(groupBitmapMergeState(agents), 0)),
    sum(helpful),
    sum(not_helpful)
FROM
(`

const cellsSQL = `
        SELECT conversations, users, agents, message_count, tool_calls, total_tokens, input_tokens, output_tokens, helpful, not_helpful
        FROM stats_cells FINAL
        `

const partColumns = `
            groupBitmapState(conversation_no) AS conversations,
            groupBitmapState(user_no)         AS users,
            groupBitmapState(agent_no)        AS agents,
`

const activitySQL = `
        SELECT` + partColumns + `
            sum(user_activity.message_count)  AS message_count,
            sum(user_activity.tool_calls)     AS tool_calls,
            sum(user_activity.total_tokens)   AS total_tokens,
            sum(user_activity.input_tokens)   AS input_tokens,
            sum(user_activity.output_tokens)  AS output_tokens,
            sum(user_activity.helpful)        AS helpful,
            sum(user_activity.not_helpful)    AS not_helpful
        FROM user_activity FINAL
        `

const userMonthsSQL = `
        SELECT
            groupBitmapStateArray(conversation_nos) AS conversations,
            groupBitmapState(user_no)               AS users,
            groupBitmapStateArray(agent_nos)        AS agents,
            sum(user_months.message_count)          AS message_count,
            sum(user_months.tool_calls)             AS tool_calls,
            sum(user_months.total_tokens)           AS total_tokens,
            sum(user_months.input_tokens)           AS input_tokens,
            sum(user_months.output_tokens)          AS output_tokens,
            sum(user_months.helpful)                AS helpful,
            sum(user_months.not_helpful)            AS not_helpful
        FROM user_months FINAL
        `

const messagesSQL = `
        SELECT` + partColumns + `
            count()                           AS message_count,
            sum(messages.tool_calls)          AS tool_calls,
            sum(messages.total_tokens)        AS total_tokens,
            sum(messages.input_tokens)        AS input_tokens,
            sum(messages.output_tokens)       AS output_tokens,
            sum(messages.helpful)             AS helpful,
            sum(messages.not_helpful)         AS not_helpful
        FROM messages FINAL
        `

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
		if grain := part.Source.grain(); grain != "" {
			grains = append(grains, "grain = '"+grain+"' AND "+b.within("bucket", part.Stretches))
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
		t := time.UnixMilli(s.From).UTC()
		months[i] = Stretch{time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMilli(), s.Until}
	}
	return months
}

// userMonths is the condition on the months of the question's users.
func (b *builder) userMonths(stretches []Stretch) string {
	return prewhere([]string{"org_id = {org_id:String}", b.userNumbers(), b.within("month", stretches)}, nil)
}

// userNumbers is the condition that user_no is one of the question's users.
func (b *builder) userNumbers() string {
	return "user_no IN (SELECT user_no FROM users WHERE org_id = {org_id:String} AND " + all(b.users()) + ")"
}

// prewhere puts conditions on columns of the sorting key before FINAL, which then has less to merge: all rows that FINAL
// merges have the same key, so that it makes no difference to the result. It would with any other column: conditions on those
// come after FINAL.
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
	var conditions []string
	if b.question.UserID != "" {
		b.params.String("user_id", b.question.UserID)
		conditions = append(conditions, "user_id = {user_id:String}")
	}
	if metadata := b.metadata(); metadata != "" {
		conditions = append(conditions, "user_id IN (SELECT user_id FROM members FINAL WHERE org_id = {org_id:String} AND "+metadata+")")
	}
	return conditions
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

// within is the condition that a time column lies in one of the stretches. Ends are bound as the last millisecond, because
// the first one after may lie beyond what the column can hold.
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
