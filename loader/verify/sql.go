package verify

import (
	"strings"

	"github.com/orgstats/orgstats/schema/cells"
)

// comparison finds the rows of a table that are not what the messages say: which row, its figures, and those that it
// should have.
type comparison struct{ table, sql string }

var comparisons = []comparison{
	cellsOf("hour", hourStart),
	cellsOf("day", "toMonth(at), toDayOfMonth(at), 0"),
	cellsOf("month", "toMonth(at), 1, 0"),
	activity.comparison(),
	{"messages", numbersSQL("conversation_no", "conversation_id")},
	{"messages", numbersSQL("user_no", "user_id")},
	{"messages", numbersSQL("agent_no", "toString(agent_id)")},
	{"messages", userNumbersSQL("messages")},
	{"members", userNumbersSQL("members")},
}

// hourStart are month, day and hour of the start of the hour that holds the instant at.
const hourStart = "toMonth(at), toDayOfMonth(at), toHour(at)"

var countSQL = `
SELECT
    (SELECT count() FROM stale_hours FINAL WHERE org_id = {org_id:String} AND ` + cells.IsStaleHour + `),
    (SELECT count() FROM stats_cells FINAL WHERE org_id = {org_id:String})
        + (SELECT count() FROM user_activity FINAL WHERE org_id = {org_id:String})`

// staleSQL are the starts of the hours that readers read from messages.
var staleSQL = `SELECT fromUnixTimestamp64Milli(toInt64(hour) * 3600000, 'UTC') AS stale_at
        FROM stale_hours FINAL
        WHERE org_id = {org_id:String} AND ` + cells.IsStaleHour

// sumsSQL are the sums of rows as text; {count} is their number of messages.
const sumsSQL = `concat(
            'messages ', toString({count}), ', tool calls ', toString(sum(tool_calls)), ', input ', toString(sum(input_tokens)),
            ', output ', toString(sum(output_tokens)), ', total ', toString(sum(total_tokens)),
            ', helpful ', toString(sum(helpful)), ', not helpful ', toString(sum(not_helpful)))`

// setsSQL are the sets of a cell as text: how many, and a hash of which.
const setsSQL = `concat(
            ', conversations ', toString(length(conversation_nos)), ' #', hex(cityHash64(arraySort(conversation_nos))),
            ', users ', toString(length(user_nos)), ' #', hex(cityHash64(arraySort(user_nos))),
            ', agents ', toString(length(agent_nos)), ' #', hex(cityHash64(arraySort(agent_nos))))`

// buckets is a table of figures by buckets of time.
type buckets struct {
	table, where string // which of its rows
	start        string // month, day and hour of the start of the bucket that holds the instant at
	keys         string // what distinguishes its rows: start, the bucket's, and others
	row          string // which row, in words
	// The keys, and the figures as text: as they are stored, and as they follow from messages.
	stored, expected string
}

func (b buckets) comparison() comparison {
	return comparison{b.table, strings.NewReplacer(
		"{row}", b.row, "{table}", b.table, "{where}", b.where, "{keys}", b.keys, "{stored}", b.stored, "{expected}", b.expected,
		"{stale}", staleSQL, "{stale_start}", startSQL(b.start, "stale_at"),
	).Replace(`
SELECT
    concat({row}) AS row,
    anyIf(figures, stored) AS stored_figures,
    anyIf(figures, NOT stored) AS expected_figures
FROM
(
    SELECT 1 AS stored, {stored} AS figures
    FROM {table} FINAL
    WHERE org_id = {org_id:String} AND {where}
    GROUP BY {keys}
    UNION ALL
    SELECT 0 AS stored, {expected} AS figures
    FROM messages FINAL
    WHERE org_id = {org_id:String}
    GROUP BY {keys}
)
WHERE start NOT IN (SELECT {stale_start} FROM ({stale}))
GROUP BY {keys}
HAVING stored_figures != expected_figures
ORDER BY {keys}`)}
}

// sums returns sumsSQL of rows with a number of messages.
func sums(count string) string { return strings.Replace(sumsSQL, "{count}", count, 1) }

// cellsOf compares the cells of a grain, given the start of a bucket.
func cellsOf(grain, start string) comparison {
	return buckets{
		table: "stats_cells", where: "grain = '" + grain + "'", start: start, keys: "start, agent",
		row: "'" + grain + " of ', toString(start), if(agent = '', ', all agents', concat(', agent ', agent))",
		stored: `toString(agent_id) AS agent, bucket AS start,
        bitmapToArray(groupBitmapMergeState(conversations)) AS conversation_nos,
        bitmapToArray(groupBitmapMergeState(users))         AS user_nos,
        bitmapToArray(groupBitmapMergeState(agents))        AS agent_nos,
        concat(` + sums("sum(message_count)") + `, ` + setsSQL + `)`,
		expected: `arrayJoin(arrayDistinct(['', toString(agent_id)])) AS agent, ` + startSQL(start, "created_at") + ` AS start,
        groupUniqArray(conversation_no) AS conversation_nos,
        groupUniqArray(user_no)         AS user_nos,
        groupUniqArray(agent_no)        AS agent_nos,
        concat(` + sums("count()") + `, ` + setsSQL + `)`,
	}.comparison()
}

// startSQL returns the start of the bucket that holds the instant in a column. ClickHouse's own functions that round
// times know only the years 1970 to 2106.
func startSQL(monthDayHour, column string) string {
	return strings.ReplaceAll("makeDateTime64(toYear(at), "+monthDayHour+", 0, 0, 0, 3, 'UTC')", "(at)", "("+column+")")
}

var activity = buckets{
	table: "user_activity", where: "1", start: hourStart, keys: "start, user_no, conversation_no",
	row:    "'hour ', toString(start), ', user_no ', toString(user_no), ', conversation_no ', toString(conversation_no)",
	stored: `user_no, conversation_no, hour AS start, concat('agent_no ', toString(any(agent_no)), ', ', ` + sums("sum(message_count)") + `)`,
	expected: `user_no, conversation_no, ` + startSQL(hourStart, "created_at") + ` AS start,
        concat('agent_no ', toString(any(agent_no)), ', ', ` + sums("count()") + `)`,
}

// numbersSQL finds dense numbers that stand for several ids, and ids that have several numbers: distinct counts by
// number would be wrong.
func numbersSQL(number, id string) string {
	return strings.NewReplacer("{number}", number, "{id}", id).Replace(`
SELECT
    concat('{number} ', toString({number})) AS row,
    concat('ids ', arrayStringConcat(arraySort(groupUniqArray(3)({id})), ', ')) AS stored_figures,
    'one id' AS expected_figures
FROM messages FINAL
WHERE org_id = {org_id:String}
GROUP BY {number}
HAVING uniqExact({id}) > 1
UNION ALL
SELECT
    concat('{id} ', {id}) AS row,
    concat('{number}s ', arrayStringConcat(arraySort(groupUniqArray(3)(toString({number}))), ', ')) AS stored_figures,
    'one number' AS expected_figures
FROM messages FINAL
WHERE org_id = {org_id:String}
GROUP BY {id}
HAVING uniqExact({number}) > 1`)
}

// userNumbersSQL finds users of a table who have another number there than in the table of numbers, by which they are
// asked about.
func userNumbersSQL(table string) string {
	return strings.ReplaceAll(`
SELECT
    concat('user_id ', user_id) AS row,
    concat('user_no ', toString(user_no)) AS stored_figures,
    'the number that users has' AS expected_figures
FROM {table} FINAL
WHERE org_id = {org_id:String}
  AND (user_id, user_no) NOT IN (SELECT user_id, user_no FROM users WHERE org_id = {org_id:String})
GROUP BY user_id, user_no`, "{table}", table)
}
