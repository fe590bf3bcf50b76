package stats

import (
	"strings"

	"github.com/orgstats/orgstats/clickhouse"
)

// plainGrouped is the plain query of a question that is grouped, or compares two windows. In one statement that reads
// each table once, it makes a state of every figure by group and interval, sorts the groups by their figure in the
// window, and merges the states: by row and interval, by row and window, and all of them.
//
// A row of its result is named by row, 0 for the total, 1 to the limit for the groups in order, and the limit + 1 for
// all others; by level, 0 for an interval and 1 for a window; and by the start of that.
func plainGrouped(q Question) clickhouse.Query {
	b := newBuilder(q)
	b.bindSlots()
	return clickhouse.Query{Name: KindPlain, Params: b.params, SQL: b.half(plainMessages) + `
UNION ALL` + b.half(plainFiles)}
}

// plainHalf is how the figures of one subject are computed.
type plainHalf struct {
	subject *subject
	from    string
	time    string
	where   func(b *builder, intervals []Interval) string
	figures []plainFigure
}

// plainFigure is a figure as a state that can be merged, and the function that merges it.
type plainFigure struct{ column, state, merge string }

var plainMessages = plainHalf{messageRecords, "messages FINAL", "created_at", (*builder).plainMessages, []plainFigure{
	{"conversation_count", "uniqExactState(conversation_id)", "uniqExactMerge"},
	{"unique_users", "uniqExactState(messages.user_id)", "uniqExactMerge"},
	{"unique_agents", "uniqExactStateIf(agent_id, agent_id != '')", "uniqExactMerge"},
	{"message_count", "count()", "sum"},
	{"tool_calls", "sum(messages.tool_calls)", "sum"},
	{"total_tokens", "sum(messages.total_tokens)", "sum"},
	{"input_tokens", "sum(messages.input_tokens)", "sum"},
	{"output_tokens", "sum(messages.output_tokens)", "sum"},
	{"helpful", "sum(messages.helpful)", "sum"},
	{"not_helpful", "sum(messages.not_helpful)", "sum"},
}}

var plainFiles = plainHalf{fileRecords, "kb_files FINAL", "processed_at", (*builder).processed, []plainFigure{
	{"kb_file_count", "count()", "sum"},
	{"kb_count", "uniqExactState(knowledge_base_id)", "uniqExactMerge"},
	{"kb_total_tokens", "sum(kb_files.total_tokens)", "sum"},
	{"kb_input_tokens", "sum(kb_files.input_tokens)", "sum"},
	{"kb_output_tokens", "sum(kb_files.output_tokens)", "sum"},
}}

// plainValues are the values of dimensions, for a row of their table.
var plainValues = map[Dimension]string{
	"":              "''",
	ByAgent:         "messages.agent_id",
	ByUser:          "messages.user_id",
	ByMetadata:      "messages.user_id", // whose values come later
	ByRole:          "toString(messages.role)",
	ByKnowledgeBase: "kb_files.knowledge_base_id",
}

// bindSlots binds the starts of intervals and windows.
func (b *builder) bindSlots() {
	var starts []int64
	for _, slot := range newTally(b.question).slots() {
		starts = append(starts, slot.From)
	}
	b.params.Int64s("slots", starts)
	b.params.Int64("window", b.question.window().From)
	b.params.Int64("previous", b.question.previous().From)
	b.params.Int64("limit", int64(b.question.Grouping.Limit))
}

// half returns the statement of one subject.
func (b *builder) half(h plainHalf) string {
	by := b.question.Grouping.By
	if by != "" && by.subject() != h.subject {
		by = ""
	}
	return `
SELECT
    key.1 AS row, key.2 AS level, key.3 AS start,
    any(states.value) AS value, any(states.none) AS none, any(states.groups) AS groups,` + columns(h) + `
FROM
(
    SELECT *, arrayJoin([` + b.keys(by) + `]) AS key
    FROM
    (` + indent(indent(b.rows(h, by))) + `
    )
    ` + distinct(by) + `
) AS states
GROUP BY key`
}

// distinct keeps a user of several groups from being counted twice in a row that holds them all.
func distinct(by Dimension) string {
	if by == ByMetadata {
		return "LIMIT 1 BY user, start, key"
	}
	return ""
}

// columns lists the figures, of which those of the other subject are 0.
func columns(h plainHalf) (list string) {
	for _, half := range []plainHalf{plainMessages, plainFiles} {
		for _, f := range half.figures {
			value := "toUInt64(0)"
			if half.subject == h.subject {
				value = "toUInt64(" + f.merge + "(states." + f.column + "))"
			}
			list += "\n    " + value + " AS " + f.column + ","
		}
	}
	return strings.TrimSuffix(list, ",")
}

// keys lists the rows of the result that a state belongs to.
func (b *builder) keys(by Dimension) string {
	g := b.question.Grouping
	var keys []string
	for _, row := range []string{"toUInt32(0)", "toUInt32(row)"} {
		if g.Interval != "" {
			keys = append(keys, "("+row+", 0, start)")
		}
		if g.Interval == "" || g.By != "" {
			keys = append(keys, "("+row+", 1, if(start >= {window:Int64}, {window:Int64}, {previous:Int64}))")
		}
		if by == "" {
			break
		}
	}
	return strings.Join(keys, ", ")
}

// rows returns the states with the row that each belongs to.
func (b *builder) rows(h plainHalf, by Dimension) string {
	states := b.states(h, by)
	if by == "" {
		return `
SELECT *, toUInt64(0) AS groups
FROM
(` + indent(states) + `
)`
	}
	if by == ByMetadata {
		states = b.statesByMetadata(states)
	}
	direction := "DESC"
	if b.question.Grouping.Ascending {
		direction = "ASC"
	}
	return `
SELECT *, if(present, least(dense_rank() OVER (ORDER BY present DESC, figure ` + direction + `, none, value), {limit:Int64} + 1), {limit:Int64} + 1) AS row
FROM
(
    SELECT *,
        countIf(start >= {window:Int64}) OVER (PARTITION BY none, value) > 0 AS present,
        uniqExactIf((none, value), start >= {window:Int64}) OVER () AS groups,
        ` + orderFigure(h, b.question.Grouping.OrderBy) + ` AS figure
    FROM
    (` + indent(indent(states)) + `
    )
)`
}

// orderFigure returns the figure of a group in the window that rows are sorted by.
func orderFigure(h plainHalf, figure string) string {
	column := columnOf(figure)
	for _, f := range h.figures {
		if f.column == column {
			return f.merge + "If(" + f.column + ", start >= {window:Int64}) OVER (PARTITION BY none, value)"
		}
	}
	return "sumIf(helpful + not_helpful, start >= {window:Int64}) OVER (PARTITION BY none, value)"
}

// states returns the states of a subject's figures by group and interval.
func (b *builder) states(h plainHalf, by Dimension) string {
	list := ""
	for _, f := range h.figures {
		list += ",\n    " + f.state + " AS " + f.column
	}
	return `
SELECT
    ` + plainValues[by] + ` AS value, value = '' AND ` + mayLack(by) + ` AS none,
    toInt64(roundDown(toUnixTimestamp64Milli(` + h.time + `), {slots:Array(Int64)})) AS start` + list + `
FROM ` + h.from + `
WHERE ` + h.where(b, []Interval{b.question.previous().Interval, b.question.window().Interval}) + `
GROUP BY value, start`
}

// mayLack reports, in SQL, whether a record may have no value of the dimension.
func mayLack(by Dimension) string {
	if by == ByAgent {
		return "true"
	}
	return "false"
}

// statesByMetadata repeats the states of a user for every value that the metadata have at the path.
func (b *builder) statesByMetadata(states string) string {
	b.params.String("path", b.question.Grouping.Path)
	return `
SELECT
    of_users.* EXCEPT (value, none), of_users.value AS user,
    arrayJoin(if(empty(of_members.values), [('', true)], arrayMap(value -> (value, false), of_members.values))) AS pair,
    pair.1 AS value, pair.2 AS none
FROM
(` + indent(states) + `
) AS of_users
LEFT JOIN
(
    SELECT user_id, arrayDistinct(arrayFilter((value, path) -> path = {path:String}, metadata_pair_values, metadata_pair_paths)) AS values
    FROM members FINAL
    WHERE org_id = {org_id:String}
) AS of_members ON of_users.value = of_members.user_id`
}

func indent(sql string) string { return strings.ReplaceAll(sql, "\n", "\n    ") }
