package stats

import (
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// Kinds of statements.
const (
	KindCells    = "cells"    // buckets, of all messages or of those of an agent
	KindActivity = "activity" // buckets of the messages of users
	KindMessages = "messages" // messages one by one
	KindLive     = "live"     // what is being written, or is too much to be kept
	KindFiles    = "files"    // files by bucket, and one by one
	KindNumbers  = "numbers"  // of users and agents
	KindState    = "state"    // what is stale of an organization
	KindChanges  = "changes"  // what the loader has announced since
	KindPlain    = "plain"    // everything, in one statement
)

// Kinds are all kinds of statements.
var Kinds = []string{
	KindCells, KindActivity, KindMessages, KindLive, KindFiles, KindNumbers, KindState, KindChanges, KindPlain,
}

// statement is a query, and what is done with each of its rows.
type statement struct {
	clickhouse.Query
	row func(clickhouse.Scan) error
}

// oneThread is for statements that read little: a second thread costs them more than it brings.
const oneThread = `
SETTINGS max_threads = 1`

// fetched is what the statements of a plan return.
type fetched struct {
	messages, files found
	agentNo, userNo uint32
	members         *buckets.Numbers
	agents, users   map[uint32]string // ids by number
	values          *userValues
	fileRows        []fileRow

	counter uint64  // of changes; 0 of an organization that was never loaded
	stale   []int32 // hours, sorted
}

// statements returns the statements for everything that a plan lacks. Their rows go to what was fetched.
func (p *plan) statements(f *fetched) (all []statement) {
	f.messages, f.files = p.messages.found(), p.files.found()
	if p.state {
		all = append(all, p.stateStatement(f))
	}
	if len(p.messages.lackingPieces) > 0 {
		all = append(all, p.bucketsStatement(&f.messages))
	}
	if len(p.messages.summed) > 0 {
		all = append(all, p.summedStatement(&f.messages))
	}
	if len(p.messages.lackingRows) > 0 {
		all = append(all, p.rowsStatement(&f.messages))
	}
	if len(p.messages.live) > 0 {
		all = append(all, p.liveStatement(&f.messages))
	}
	if p.choice.lacking {
		all = append(all, p.numberStatements(f)...)
	}
	if p.lackingAgents {
		all = append(all, p.agentsStatement(f))
	}
	switch p.question.Grouping.By {
	case ByUser:
		all = append(all, p.usersStatement(f))
	case ByMetadata:
		all = append(all, p.valuesStatement(f))
	}
	if !p.files.complete() {
		all = append(all, p.filesStatement(f))
	}
	return all
}

// found returns room for what a part lacks. What has no records is nil.
func (p *part) found() found {
	f := found{
		buckets: map[piece]buckets.Grouped{}, rows: map[int64]*buckets.Rows{}, live: map[int64]buckets.Grouped{},
		summed: map[int64]buckets.Grouped{},
	}
	for _, piece := range p.toFetch() {
		f.buckets[piece] = nil
	}
	for _, i := range p.lackingRows {
		f.rows[p.subject.unit.Start(i.From)] = nil
	}
	return f
}

// builder returns the builder of the unit that holds a time. Records come in the order of their times, so that what was
// built of another unit is finished: packed, it takes a third of the memory.
func (f *found) builder(s *subject, time int64) *buckets.Builder {
	if start := s.unit.Start(time); f.building == nil || start != f.unit {
		f.finish()
		f.unit, f.building = start, buckets.NewBuilder(start, len(s.sets), len(s.sums))
	}
	return f.building
}

// finish makes rows of what was built last.
func (f *found) finish() {
	if f.building != nil {
		f.rows[f.unit] = f.building.Rows()
	}
	f.building = nil
}

// setsSQL lists the sets of stats_cells as texts that buckets.DecodeBitmap reads.
const setsSQL = `toString(conversations), toString(users), toString(agents)`

// groupedSetsSQL makes sets of the numbers of rows that have one conversation each.
const groupedSetsSQL = `toString(groupBitmapState(conversation_no)), toString(groupBitmapState(user_no)), toString(groupBitmapState(agent_no))`

// bucketsStatement reads buckets of messages: cells, where there are some for the filter, or user activity.
func (p *plan) bucketsStatement(f *found) statement {
	b, pieces := newBuilder(p.question), p.messages.toFetch()
	q := clickhouse.Query{Params: b.params}
	switch {
	case !p.question.hasCells():
		q.Name, q.SQL = KindActivity, b.activityBuckets(startsOf(intervalsIn(pieces)), pieces, nil)+p.threads()
	case p.question.Grouping.By == ByAgent:
		q.Name, q.SQL = KindCells, b.cellsByAgent(pieces)+oneThread
	default:
		q.Name, q.SQL = KindCells, b.cellBuckets("toUInt32(0)", pieces, "agent_id = {agent_id:String}")+oneThread
	}
	byStart := piecesByStart(pieces)
	return statement{q, func(scan clickhouse.Scan) error {
		start, group, err := scanGroup(scan)
		if err != nil {
			return err
		}
		piece, ok := byStart[start]
		if !ok {
			return errUnknownBucket(start)
		}
		f.buckets[piece] = append(f.buckets[piece], group)
		return nil
	}}
}

// cellBuckets reads cells, and the number of the group that each is of.
func (b *builder) cellBuckets(number string, pieces []piece, agents string) string {
	b.params.String("agent_id", b.question.AgentID) // '' is the cell of all agents
	return `
SELECT
    toUnixTimestamp64Milli(bucket) AS start, ` + number + ` AS number, ` + setsSQL + `,
    ` + cells.SumColumns + `
FROM stats_cells FINAL
` + prewhere(b.cells(pieces, agents), nil)
}

// activityBuckets sums up user activity of some buckets, by group and the start of what holds it.
func (b *builder) activityBuckets(starts []int64, pieces []piece, conditions []string) string {
	return `
SELECT
    ` + b.startOf("hour", starts) + ` AS start, ` + b.groupNumber() + ` AS number, ` + groupedSetsSQL + `,
    ` + cells.SumsOf("user_activity") + `
FROM user_activity FINAL
` + b.activity(intervalsOf(pieces, ""), conditions) + `
GROUP BY start, number`
}

// cellsByAgent reads the cells of agents, and where there are messages without one, these from user activity: no cell
// is theirs alone.
func (b *builder) cellsByAgent(pieces []piece) string {
	const number = "toUInt32(arrayElement(bitmapToArray(agents), 1))"
	if b.question.AgentID != "" {
		return b.cellBuckets(number, pieces, "agent_id = {agent_id:String}")
	}
	some := `(
              SELECT sumIf(message_count, agent_id = '') > sumIf(message_count, agent_id != '')
              FROM stats_cells FINAL
              ` + prewhere(b.cells(pieces, "true"), nil) + `
          )`
	return b.cellBuckets(number, pieces, "agent_id != ''") + `
UNION ALL` + b.activityBuckets(startsOf(intervalsIn(pieces)), pieces, []string{"agent_no = 0", some})
}

// groupNumber returns, in SQL, the number of the group of a row of messages or of user activity.
func (b *builder) groupNumber() string {
	switch by := b.question.Grouping.By; {
	case by == ByAgent:
		return "agent_no"
	case by.ofUsers():
		return "user_no"
	}
	return "toUInt32(0)"
}

// piecesByStart returns pieces by their start, which is the start of no other piece of a division.
func piecesByStart(pieces []piece) map[int64]piece {
	byStart := map[int64]piece{}
	for _, piece := range pieces {
		byStart[piece.start] = piece
	}
	return byStart
}

func errUnknownBucket(start int64) error {
	return fmt.Errorf("ClickHouse returned a bucket of %s that was not asked for", Instant(start))
}

// threads returns the setting for statements about users: sets of them read much.
func (p *plan) threads() string {
	if p.question.byMetadata() {
		return ""
	}
	return oneThread
}

// scanGroup reads a row of a start, the number of a group, the sets and the sums of messages.
func scanGroup(scan clickhouse.Scan) (start int64, g buckets.Group, err error) {
	sets := make([]string, len(messageRecords.sets))
	g.Bucket = &buckets.Bucket{Sums: make([]uint64, len(messageRecords.sums))}
	dest := append(append([]any{&start, &g.Number}, pointers(sets)...), pointers(g.Sums)...)
	if err := scan(dest...); err != nil {
		return 0, g, err
	}
	for _, set := range sets {
		numbers, err := buckets.DecodeBitmap([]byte(set))
		if err != nil {
			return 0, g, err
		}
		g.Sets = append(g.Sets, numbers)
	}
	return start, g, nil
}

// maxRows is how many messages are read one by one for a question, and as many more for each maxUnits intervals of a
// series; more are summed up by ClickHouse. Tests change it.
var maxRows = 200_000

// rowsStatement reads the messages of whole hours.
func (p *plan) rowsStatement(f *found) statement {
	b := newBuilder(p.question)
	hours := wholeUnits(p.messages.lackingRows, cells.Hour)
	q := clickhouse.Query{Name: KindMessages, Params: b.params, SQL: `
SELECT
    toUnixTimestamp64Milli(created_at), conversation_no, user_no, agent_no,
    ` + cells.SumsOfMessage + `
FROM messages FINAL
` + prewhere(b.messageKey(hours), nil) + fmt.Sprintf(`
ORDER BY created_at
SETTINGS max_threads = 1, max_result_rows = %d, result_overflow_mode = 'throw'`, maxRows+maxRows*len(p.slots)/maxUnits)}
	var time int64
	numbers, values := make([]uint32, len(messageRecords.sets)), make([]uint32, len(messageRecords.sums))
	dest := append(append([]any{&time}, pointers(numbers)...), pointers(values)...)
	return statement{q, func(scan clickhouse.Scan) error {
		if err := scan(dest...); err != nil {
			return err
		}
		return f.builder(messageRecords, time).Append(time, numbers, values)
	}}
}

// pointers returns pointers to the values of a slice.
func pointers[T any](values []T) (all []any) {
	for i := range values {
		all = append(all, &values[i])
	}
	return all
}

// liveStatement sums up the messages of intervals that pass the filters, by slot and group.
func (p *plan) liveStatement(f *found) statement {
	b := newBuilder(p.question)
	q := clickhouse.Query{Name: KindLive, Params: b.params, SQL: `
SELECT
    ` + b.startOf("created_at", startsOf(p.slots)) + ` AS start, ` + b.groupNumber() + ` AS number, ` + groupedSetsSQL + `,
    ` + cells.SumsOfMessages + `
FROM messages FINAL
` + prewhere(b.messageKey(p.messages.live), b.messageFilters()) + `
GROUP BY start, number`}
	if p.messages.key.by.ofUsers() {
		q.SQL += atMostUserGroups()
	}
	return statement{q, func(scan clickhouse.Scan) error {
		start, group, err := scanGroup(scan)
		f.live[start] = append(f.live[start], group)
		return err
	}}
}
