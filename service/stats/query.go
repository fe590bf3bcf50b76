package stats

import (
	"fmt"
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
)

// Query is a statement and the parameters that it is bound to. Its columns are those of figureColumns.
type Query struct {
	SQL    string
	Params clickhouse.Params
}

// figureColumns give the figures in their order, from what messageFigures and kbSQL call them.
const figureColumns = `
    conversation_count, message_count, tool_calls, total_tokens, input_tokens, output_tokens, unique_users, unique_agents,
    helpful + not_helpful AS feedback, helpful, not_helpful,
    kb_file_count, kb_count, kb_total_tokens, kb_input_tokens, kb_output_tokens`

// PlainQuery asks the replicas themselves, without any help: what it answers is right by definition, and every faster
// way is held against it.
func PlainQuery(q Question) Query {
	b := newBuilder(q)
	return b.query(`
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
    WHERE ` + b.messages([]Stretch{{q.From, q.Until}}))
}

// query is the statement that asks for the figures of messages and for those of files in one.
func (b *builder) query(messageFigures string) Query {
	return Query{
		SQL: `SELECT` + figureColumns + `
FROM
(` + messageFigures + `
) AS message_figures
CROSS JOIN
(` + b.kb() + `
) AS kb_figures`,
		Params: b.params,
	}
}

// Query is the statement of the plan.
func (p Plan) Query() Query {
	if p.Plain() {
		return PlainQuery(p.Question)
	}
	b := newBuilder(p.Question)
	var sources []string
	if condition := b.cells(p); condition != "" {
		sources = append(sources, cellsSQL+condition)
	}
	if stretches := p.stretches(Activity); stretches != nil {
		sources = append(sources, activitySQL+b.activity(stretches))
	}
	if stretches := p.stretches(Messages); stretches != nil {
		sources = append(sources, messagesSQL+b.messages(stretches))
	}
	return b.query(mergedSQL + strings.Join(sources, `
        UNION ALL`) + `
    ) AS parts`)
}

// Distinct counts are cardinalities of merged bitmaps of dense numbers. Agent number 0 is no agent.
const mergedSQL = `
    SELECT
        toUInt64(groupBitmapMerge(conversations))   AS conversation_count,
        sum(parts.message_count)                    AS message_count,
        sum(parts.tool_calls)                       AS tool_calls,
        sum(parts.total_tokens)                     AS total_tokens,
        sum(parts.input_tokens)                     AS input_tokens,
        sum(parts.output_tokens)                    AS output_tokens,
        toUInt64(groupBitmapMerge(users))           AS unique_users,
        groupBitmapMergeState(agents)               AS agent_numbers,
        toUInt64(bitmapCardinality(agent_numbers) - bitmapContains(agent_numbers, 0)) AS unique_agents,
        sum(parts.helpful)                          AS helpful,
        sum(parts.not_helpful)                      AS not_helpful
    FROM
    (`

const cellsSQL = `
        SELECT conversations, users, agents, message_count, tool_calls, total_tokens, input_tokens, output_tokens, helpful, not_helpful
        FROM stats_cells FINAL
        WHERE `

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
        WHERE `

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
        WHERE `

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

// kb asks for the processed files of the window, which no filter touches.
func (b *builder) kb() string {
	return `
    SELECT
        count()                                     AS kb_file_count,
        uniqExact(knowledge_base_id)                AS kb_count,
        sum(kb_files.total_tokens)                  AS kb_total_tokens,
        sum(kb_files.input_tokens)                  AS kb_input_tokens,
        sum(kb_files.output_tokens)                 AS kb_output_tokens
    FROM kb_files FINAL
    WHERE org_id = {org_id:String} AND ` + b.within("processed_at", []Stretch{{b.question.From, b.question.Until}}) + `
      AND processing_status IN ('', 'completed')`
}

// messages is the condition on messages: stretches and filters. Conditions on mutable columns are safe beside FINAL: ClickHouse
// applies them to the rows that FINAL left.
func (b *builder) messages(stretches []Stretch) string {
	conditions := append([]string{"org_id = {org_id:String}", b.within("created_at", stretches)}, b.users()...)
	if b.question.AgentID != "" {
		b.params.String("agent_id", b.question.AgentID)
		conditions = append(conditions, "agent_id = {agent_id:String}")
	}
	return all(conditions)
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
	return all([]string{"org_id = {org_id:String}", "agent_id = {agent_id:String}", anyOf(grains)})
}

// activity is the condition on user activity.
func (b *builder) activity(stretches []Stretch) string {
	conditions := []string{
		"org_id = {org_id:String}",
		"user_no IN (SELECT user_no FROM users WHERE org_id = {org_id:String} AND " + all(b.users()) + ")",
		b.within("day", stretches),
	}
	if b.question.AgentID != "" {
		b.params.String("agent_id", b.question.AgentID)
		conditions = append(conditions, "agent_no IN (SELECT agent_no FROM agents WHERE org_id = {org_id:String} AND agent_id = {agent_id:String})")
	}
	return all(conditions)
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
