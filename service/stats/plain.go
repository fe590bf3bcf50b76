package stats

import "github.com/orgstats/orgstats/clickhouse"

// PlainQuery asks the replicas themselves, without any help: what it answers is right by definition, and every faster
// way is held against it. Files belong to no value of a dimension.
func PlainQuery(q Question) clickhouse.Query {
	b := newBuilder(q)
	messages := b.plainMessages() + q.Grouping.groupBy()
	files := b.files() + q.Grouping.groupBy()
	return clickhouse.Query{Name: KindPlain, Params: b.params, SQL: `
SELECT *
FROM
(` + messages + `
) AS message_figures
` + q.Grouping.join() + ` JOIN
(` + files + `
) AS kb_figures` + q.Grouping.using()}
}

// columns returns the columns of a group, before those of its figures, in a table with a time and, where the dimension
// is a property of its rows, a value.
func (g Grouping) columns(time, value string) string {
	if g == (Grouping{}) {
		return ""
	}
	start := "toInt64(0)"
	if g.Interval != "" {
		start = "toUnixTimestamp64Milli(" + g.Interval.StartSQL(time) + ")"
	}
	if g.By == "" || value == "" {
		value = "''"
	}
	return `
        ` + start + ` AS group_start,
        toString(` + value + `) AS group_value,`
}

// The other parts of a statement that depend on whether figures are grouped. ClickHouse makes one row of no rows where
// they are not, and none where they are.
func (g Grouping) groupBy() string { return g.ifGrouped("\n    GROUP BY group_start, group_value", "") }
func (g Grouping) join() string    { return g.ifGrouped("FULL OUTER", "CROSS") }
func (g Grouping) using() string   { return g.ifGrouped("\nUSING (group_start, group_value)", "") }

func (g Grouping) ifGrouped(then, otherwise string) string {
	if g == (Grouping{}) {
		return otherwise
	}
	return then
}

// plainMessages asks for the figures of messages.
func (b *builder) plainMessages() string {
	window := []Interval{{b.question.From, b.question.Until}}
	return `
    SELECT` + b.question.Grouping.columns("messages.created_at", dimensions[b.question.Grouping.By]) + plainFiguresSQL +
		all(append(b.messageKey(window), b.messageFilters()...))
}

// dimensions are the columns of messages that hold the values of dimensions.
var dimensions = map[Dimension]string{ByAgent: "messages.agent_id"}

// files asks for the figures of processed files of the window, which no filter touches.
func (b *builder) files() string {
	return `
    SELECT` + b.question.Grouping.columns("kb_files.processed_at", "") + kbFiguresSQL + b.processed([]Interval{{b.question.From, b.question.Until}})
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
        sum(messages.not_helpful)                   AS not_helpful
    FROM messages FINAL
    WHERE `

const kbFiguresSQL = `
        count()                                     AS kb_file_count,
        uniqExact(knowledge_base_id)                AS kb_count,
        sum(kb_files.total_tokens)                  AS kb_total_tokens,
        sum(kb_files.input_tokens)                  AS kb_input_tokens,
        sum(kb_files.output_tokens)                 AS kb_output_tokens
    FROM kb_files FINAL
    WHERE `
