package stats

import (
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// PlainQuery asks the replicas themselves, without any help: what it answers is right by definition, and every faster
// way is held against it. Files belong to no value of a dimension.
func PlainQuery(q Question) clickhouse.Query {
	b := newBuilder(q)
	messages := b.plainMessages() + q.Grouping.groupBy()
	files := b.files() + q.Grouping.groupBy()
	return clickhouse.Query{Name: KindRaw, Params: b.params, SQL: `
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
    SELECT` + b.question.Grouping.columns("kb_files.processed_at", "") + kbFiguresSQL + b.kb()
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

// Queries returns the statements of the plan: one for the figures of messages, one for those of files. Those of an
// empty window and of a question that is grouped are the plain query.
func (p Plan) Queries() []clickhouse.Query {
	if len(p.Steps) == 0 || p.Question.Grouping != (Grouping{}) {
		return []clickhouse.Query{PlainQuery(p.Question)}
	}
	files := newBuilder(p.Question)
	return []clickhouse.Query{
		p.messagesQuery(),
		{Name: p.Kind(), SQL: files.files() + oneThread, Params: files.params},
	}
}

// messagesQuery asks for the figures of messages. A plan of one table asks it for them; sets and sums of several are
// merged.
func (p Plan) messagesQuery() clickhouse.Query {
	b := newBuilder(p.Question)
	b.userNo = p.UserNo
	var reads []tableRead
	if cells := b.cells(p); cells != "" {
		reads = append(reads, tableRead{cellsSQL, cells})
	}
	if intervals := p.intervals(UserMonths); intervals != nil {
		reads = append(reads, tableRead{userMonthsSQL, b.userMonths(intervals)})
	}
	if intervals := p.intervals(Activity); intervals != nil {
		reads = append(reads, tableRead{activitySQL, b.activity(intervals)})
	}
	if intervals := p.intervals(Messages); intervals != nil {
		reads = append(reads, tableRead{messagesSQL, prewhere(b.messageKey(intervals), b.messageFilters())})
	}
	if len(reads) == 1 {
		sql := reads[0].figures + reads[0].from + reads[0].condition + p.threads()
		return clickhouse.Query{Name: p.Kind(), SQL: sql, Params: b.params}
	}
	var selects []string
	for _, read := range reads {
		selects = append(selects, read.sets+read.from+read.condition)
	}
	return clickhouse.Query{Name: p.Kind(), Params: b.params, SQL: figuresOf("parts") + `
FROM
(` + strings.Join(selects, `
UNION ALL`) + `
) AS parts` + p.threads()}
}

// tableRead is what a statement reads of one table.
type tableRead struct {
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

// threads returns the setting for the plan's statement. Sets of users read much, and so do messages of more than the
// ragged ends.
func (p Plan) threads() string {
	var raw int64
	for _, s := range p.intervals(Messages) {
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
