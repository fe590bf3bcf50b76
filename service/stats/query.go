package stats

import (
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Query is a statement and the parameters that it is bound to.
type Query struct {
	SQL    string
	Params clickhouse.Params
}

// PlainQuery asks the replicas themselves, without any help: what it answers is right by definition, and every faster
// way is held against it.
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
	return Query{figuresOf("parts") + `
FROM
(` + strings.Join(selects, `
UNION ALL`) + `
) AS parts` + p.threads(), b.params}
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
const raggedEnds = 2 * cells.MsPerHour

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

// figuresOf counts the distinct members of sets and sums up the rows of a table of sets and sums. Agent number 0 is no
// agent.
func figuresOf(table string) string {
	return `
SELECT
    toUInt64(groupBitmapMerge(conversations)) AS conversation_count,
    toUInt64(groupBitmapMerge(users)) AS unique_users,
    toUInt64(groupBitmapMerge(agents) - bitmapContains(groupBitmapMergeState(agents), 0)) AS unique_agents,
    ` + cells.SumsOf(table)
}

// distinctNumbersSQL counts the distinct numbers of a table that has one conversation in a row. Numbers that come in no
// order are counted faster by their hashes than by a bitmap.
const distinctNumbersSQL = `
SELECT
    uniqExact(conversation_no) AS conversation_count,
    uniqExact(user_no) AS unique_users,
    uniqExactIf(agent_no, agent_no != 0) AS unique_agents,
    `

// setsOfNumbersSQL makes sets of these numbers.
const setsOfNumbersSQL = `
SELECT
    ` + cells.SetsOfNumbers + `,
    `

var cellsSQL = tableSQL{
	figures: figuresOf("stats_cells"),
	sets: `
SELECT
    ` + cells.SetColumns + `,
    ` + cells.SumColumns,
	from: `
FROM stats_cells FINAL
`,
}

var userMonthsSQL = tableSQL{
	figures: `
SELECT
    uniqExactArray(conversation_nos) AS conversation_count,
    uniqExact(user_no) AS unique_users,
    uniqExactArray(arrayFilter(no -> no != 0, agent_nos)) AS unique_agents,
    ` + cells.SumsOf("user_months"),
	sets: `
SELECT
    groupBitmapStateArray(conversation_nos) AS conversations,
    groupBitmapState(user_no) AS users,
    groupBitmapStateArray(agent_nos) AS agents,
    ` + cells.SumsOf("user_months"),
	from: `
FROM user_months FINAL
`,
}

var activitySQL = tableSQL{
	figures: distinctNumbersSQL + cells.SumsOf("user_activity"),
	sets:    setsOfNumbersSQL + cells.SumsOf("user_activity"),
	from: `
FROM user_activity FINAL
`,
}

var messagesSQL = tableSQL{
	figures: distinctNumbersSQL + cells.SumsOfMessages,
	sets:    setsOfNumbersSQL + cells.SumsOfMessages,
	from: `
FROM messages FINAL
`,
}
