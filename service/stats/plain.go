package stats

import "github.com/orgstats/orgstats/clickhouse"

// PlainQuery asks the replicas themselves, without any help: what it answers is right by definition, and every faster
// way is held against it.
func PlainQuery(q Question) clickhouse.Query {
	if q.Previous != (Interval{}) || q.Grouping != (Grouping{}) {
		return plainGrouped(q)
	}
	b := newBuilder(q)
	window := []Interval{{q.From, q.Until}}
	return clickhouse.Query{Name: KindPlain, Params: b.params, SQL: `
SELECT *
FROM
(
    SELECT` + plainFiguresSQL + `
    FROM messages FINAL
    WHERE ` + b.plainMessages(window) + `
) AS message_figures
CROSS JOIN
(
    SELECT` + kbFiguresSQL + `
    FROM kb_files FINAL
    WHERE ` + b.processed(window) + `
) AS kb_figures`}
}

// plainMessages returns the conditions on the messages that count, of some intervals.
func (b *builder) plainMessages(intervals []Interval) string {
	return all(append(b.messageKey(intervals), b.messageFilters()...))
}

const plainFiguresSQL = `
        uniqExact(conversation_id)                  AS conversation_count,
        uniqExact(user_id)                          AS unique_users,
        uniqExactIf(agent_id, agent_id != '')       AS unique_agents,
        count()                                     AS message_count,
        sum(messages.tool_calls)                    AS tool_calls,
        sum(messages.total_tokens)                  AS total_tokens,
        sum(messages.input_tokens)                  AS input_tokens,
        sum(messages.output_tokens)                 AS output_tokens,
        sum(messages.helpful)                       AS helpful,
        sum(messages.not_helpful)                   AS not_helpful`

// Files are of the organization: no filter touches them.
const kbFiguresSQL = `
        count()                                     AS kb_file_count,
        uniqExact(knowledge_base_id)                AS kb_count,
        sum(kb_files.total_tokens)                  AS kb_total_tokens,
        sum(kb_files.input_tokens)                  AS kb_input_tokens,
        sum(kb_files.output_tokens)                 AS kb_output_tokens`
