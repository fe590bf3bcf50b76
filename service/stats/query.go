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

// Queries are the statements of the plan: one for the figures of messages, one for those of files. A plan of an empty
// window is the plain query.
func (p Plan) Queries() []Query {
	if len(p.Parts) == 0 {
		return []Query{PlainQuery(p.Question)}
	}
	files := newBuilder(p.Question)
	return []Query{p.messagesQuery(), {kbSQL + files.kb() + oneThread, files.params}}
}

// messagesQuery asks for the figures of messages. A plan of one table asks it for them; sets and sums of several are
// merged.
func (p Plan) messagesQuery() Query {
	b := newBuilder(p.Question)
	b.userNo = p.UserNo
	var parts []tablePart
	if cells := b.cells(p); cells != "" {
		parts = append(parts, tablePart{cellsSQL, cells})
	}
	if stretches := p.stretches(UserMonths); stretches != nil {
		parts = append(parts, tablePart{userMonthsSQL, b.userMonths(stretches)})
	}
	if stretches := p.stretches(Activity); stretches != nil {
		parts = append(parts, tablePart{activitySQL, b.activity(stretches)})
	}
	if stretches := p.stretches(Messages); stretches != nil {
		parts = append(parts, tablePart{messagesSQL, prewhere(b.messageKey(stretches), b.messageFilters())})
	}
	if len(parts) == 1 {
		return Query{parts[0].figures + parts[0].from + parts[0].condition + p.threads(), b.params}
	}
	var selects []string
	for _, part := range parts {
		selects = append(selects, part.sets+part.from+part.condition)
	}
	return Query{setFiguresSQL + `
FROM
(` + strings.Join(selects, `
    UNION ALL`) + `
)` + p.threads(), b.params}
}

// tablePart is what a statement reads of one table.
type tablePart struct {
	tableSQL
	condition string
}

// tableSQL asks a table for figures, or for sets and sums that are merged with those of others.
type tableSQL struct{ figures, sets, from string }

// oneThread is for statements that read little: a second thread costs them more than it brings.
const oneThread = `
SETTINGS max_threads = 1`

// raggedEnds is how long the ragged ends of a window may be together: less than an hour each.
const raggedEnds = 2 * msPerHour

// threads is the setting for the plan's statement. Sets of users read much, and so do messages of more than the ragged
// ends.
func (p Plan) threads() string {
	var raw int64
	for _, s := range p.stretches(Messages) {
		raw += s.Until - s.From
	}
	if p.Question.byMetadata() || raw > raggedEnds {
		return ""
	}
	return oneThread
}

// sumsSQL ends the figures of messages of any table.
const sumsSQL = `
    sum(message_count),
    sum(tool_calls),
    sum(total_tokens),
    sum(input_tokens),
    sum(output_tokens),
    sum(helpful),
    sum(not_helpful)`

// Distinct counts of cells, and of the parts of a union, are cardinalities of merged bitmaps of dense numbers. Agent
// number 0 is no agent.
const setFiguresSQL = `
SELECT
    toUInt64(groupBitmapMerge(conversations)),
    toUInt64(groupBitmapMerge(users)),
    toUInt64(groupBitmapMerge(agents) - bitmapContains(groupBitmapMergeState(agents), 0)),` + sumsSQL

// setsOfNumbersSQL begins the sets and sums of a table that has a conversation in a row.
const setsOfNumbersSQL = `
        SELECT
            groupBitmapState(conversation_no) AS conversations,
            groupBitmapState(user_no)         AS users,
            groupBitmapState(agent_no)        AS agents,`

var cellsSQL = tableSQL{
	figures: setFiguresSQL,
	sets: `
        SELECT conversations, users, agents, message_count, tool_calls, total_tokens, input_tokens, output_tokens, helpful, not_helpful`,
	from: `
        FROM stats_cells FINAL
        `,
}

// Numbers that come in no order are counted faster by their hashes than by a bitmap.
var userMonthsSQL = tableSQL{
	figures: `
SELECT
    uniqExactArray(conversation_nos),
    uniqExact(user_no),
    uniqExactArray(arrayFilter(no -> no != 0, agent_nos)),` + sumsSQL,
	sets: `
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
            sum(user_months.not_helpful)            AS not_helpful`,
	from: `
        FROM user_months FINAL
        `,
}

var activitySQL = tableSQL{
	figures: `
SELECT
    uniqExact(conversation_no),
    uniqExact(user_no),
    uniqExactIf(agent_no, agent_no != 0),` + sumsSQL,
	sets: setsOfNumbersSQL + `
            sum(user_activity.message_count)  AS message_count,
            sum(user_activity.tool_calls)     AS tool_calls,
            sum(user_activity.total_tokens)   AS total_tokens,
            sum(user_activity.input_tokens)   AS input_tokens,
            sum(user_activity.output_tokens)  AS output_tokens,
            sum(user_activity.helpful)        AS helpful,
            sum(user_activity.not_helpful)    AS not_helpful`,
	from: `
        FROM user_activity FINAL
        `,
}

var messagesSQL = tableSQL{
	figures: `
SELECT
    uniqExact(conversation_no),
    uniqExact(user_no),
    uniqExactIf(agent_no, agent_no != 0),
    count(),
    sum(messages.tool_calls),
    sum(messages.total_tokens),
    sum(messages.input_tokens),
    sum(messages.output_tokens),
    sum(messages.helpful),
    sum(messages.not_helpful)`,
	sets: setsOfNumbersSQL + `
            count()                           AS message_count,
            sum(messages.tool_calls)          AS tool_calls,
            sum(messages.total_tokens)        AS total_tokens,
            sum(messages.input_tokens)        AS input_tokens,
            sum(messages.output_tokens)       AS output_tokens,
            sum(messages.helpful)             AS helpful,
            sum(messages.not_helpful)         AS not_helpful`,
	from: `
        FROM messages FINAL
        `,
}
