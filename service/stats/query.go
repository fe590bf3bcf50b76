package stats

import (
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
)

// Query is a statement and the parameters that it is bound to.
type Query struct {
	SQL    string
	Params clickhouse.Params
}

// PlainQuery asks the replicas themselves, without any help: what it answers is right by definition, and every faster
// way is held against it.
func PlainQuery(q Question) Query {
	params := clickhouse.Params{}
	params.String("org_id", q.OrgID)
	params.Int64("from", q.From)
	params.Int64("until", q.Until)
	conditions := q.filters(params)
	return Query{SQL: strings.Replace(plainSQL, "{conditions}", conditions, 1), Params: params}
}

// Conditions on mutable columns are safe beside FINAL: ClickHouse applies them to the rows that FINAL left.
const plainSQL = `
SELECT
    conversation_count, message_count, tool_calls, total_tokens, input_tokens, output_tokens, unique_users, unique_agents,
    helpful + not_helpful AS feedback, helpful, not_helpful,
    kb_file_count, kb_count, kb_total_tokens, kb_input_tokens, kb_output_tokens
FROM
(
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
    WHERE org_id = {org_id:String}
      AND created_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
      AND created_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC'){conditions}
) AS message_figures
CROSS JOIN
(` + kbSQL + `
) AS kb_figures`

// kbSQL gives the figures of the processed files of the window, which no filter touches.
const kbSQL = `
    SELECT
        count()                                     AS kb_file_count,
        uniqExact(knowledge_base_id)                AS kb_count,
        sum(kb_files.total_tokens)                  AS kb_total_tokens,
        sum(kb_files.input_tokens)                  AS kb_input_tokens,
        sum(kb_files.output_tokens)                 AS kb_output_tokens
    FROM kb_files FINAL
    WHERE org_id = {org_id:String}
      AND processed_at >= fromUnixTimestamp64Milli({from:Int64}, 'UTC')
      AND processed_at < fromUnixTimestamp64Milli({until:Int64}, 'UTC')
      AND processing_status IN ('', 'completed')`

// filters gives the conditions of the question's filters on messages, and sets their parameters.
func (q Question) filters(params clickhouse.Params) string {
	var conditions strings.Builder
	if q.AgentID != "" {
		params.String("agent_id", q.AgentID)
		conditions.WriteString(`
      AND agent_id = {agent_id:String}`)
	}
	if q.UserID != "" {
		params.String("user_id", q.UserID)
		conditions.WriteString(`
      AND user_id = {user_id:String}`)
	}
	if condition := q.metadata(params); condition != "" {
		conditions.WriteString(`
      AND user_id IN
      (
          SELECT user_id
          FROM members FINAL
          WHERE org_id = {org_id:String} AND ` + condition + `
      )`)
	}
	return conditions.String()
}

// metadata gives the condition on a member's metadata, "" when the question has none, and sets its parameters.
func (q Question) metadata(params clickhouse.Params) string {
	if q.MetadataKey != "" {
		params.String("metadata_key", q.MetadataKey)
	}
	if q.MetadataValue != "" {
		params.String("metadata_value", q.MetadataValue)
	}
	switch {
	case q.MetadataKey != "" && q.MetadataValue != "":
		return `arrayExists((path, value) -> path = {metadata_key:String} AND value = {metadata_value:String}, metadata_pair_paths, metadata_pair_values)`
	case q.MetadataKey != "":
		return `has(metadata_paths, {metadata_key:String})`
	case q.MetadataValue != "":
		return `has(metadata_pair_values, {metadata_value:String})`
	}
	return ""
}
