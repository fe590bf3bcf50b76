// Package cells holds what the loader, which computes the tables of figures, and the service, which reads them, must
// agree on: the sums and sets that the tables hold, the grains of time, the change counter in stale_hours, the log of
// changes, and the times that records may have. Whatever checks these tables (package verify, the plain query, the
// views) does not use it for its figures: it states them again, as an independent witness.
package cells

import (
	"fmt"
	"math"
	"strings"
)

// Sum is a figure that is a sum over messages. The tables stats_cells and user_activity hold it in a column of the same
// name.
type Sum struct {
	Column     string
	OfMessage  string // the share of one message in SQL, a UInt32
	OfMessages string // the sum in SQL, over rows of messages
}

// Sums are all sums over messages.
var Sums = []Sum{
	{"message_count", "toUInt32(1)", "count()"},
	sumOf("tool_calls"),
	sumOf("input_tokens"),
	sumOf("output_tokens"),
	sumOf("total_tokens"),
	sumOf("helpful"),
	sumOf("not_helpful"),
}

// sumOf returns the sum over a column of messages.
func sumOf(column string) Sum {
	return Sum{column, "messages." + column, "sum(messages." + column + ")"}
}

// Parts of SELECT and INSERT statements.
var (
	// SumColumns lists the columns of the sums.
	SumColumns = listOf(func(s Sum) string { return s.Column })
	// SumsOfMessage lists the shares that one row of the table (or an alias) messages has of the sums.
	SumsOfMessage = listOf(func(s Sum) string { return s.OfMessage })
	// SumsOfMessages lists the sums over rows of the table (or an alias) messages, named like their columns.
	SumsOfMessages = listOf(func(s Sum) string { return s.OfMessages + " AS " + s.Column })
)

// SumsOf lists the sums over rows of a table that holds sums itself, named like their columns. The table qualifies the
// columns: to ClickHouse, a bare name would be the alias.
func SumsOf(table string) string {
	return listOf(func(s Sum) string { return fmt.Sprintf("sum(%s.%s) AS %[2]s", table, s.Column) })
}

func listOf(item func(Sum) string) string {
	items := make([]string, len(Sums))
	for i, s := range Sums {
		items[i] = item(s)
	}
	return strings.Join(items, ",\n    ")
}

// SetColumns lists the columns of stats_cells that hold sets of dense numbers, which distinct counts are made of. Agent
// number 0 stands for no agent.
const SetColumns = "conversations, users, agents"

// SetsOfNumbers lists these sets over rows that have one conversation each, named like their columns.
const SetsOfNumbers = `groupBitmapState(conversation_no) AS conversations,
    groupBitmapState(user_no) AS users,
    groupBitmapState(agent_no) AS agents`

// CounterHour is the hour of stale_hours that stands for the organization itself: the row's step is the organization's
// change counter, which only grows and is odd while something of the organization is being written.
const CounterHour = math.MinInt32

// Conditions on rows of stale_hours.
var (
	IsCounter   = fmt.Sprintf("hour = %d", CounterHour)  // the row holds a change counter
	IsStaleHour = fmt.Sprintf("hour != %d", CounterHour) // the row marks an hour whose cells and activity may be wrong
)

// ChangeKind is what a row of the table changes tells about an organization, by its name there.
//
// What is written to stale_hours is written to changes, too, in one block with the same step and one row for each
// organization and kind: after it where something begins, before it where something has ended. Both come before the
// rows that they announce, and after those that they report. Steps are written in their order.
type ChangeKind string

const (
	// ChangeOfMessages announces that messages of the hours are going to be written. It has all hours that are touched,
	// also those that are stale already. From here on, as from the next two, the change counter is odd.
	ChangeOfMessages ChangeKind = "messages"
	// ChangeOfMembers and ChangeOfFiles announce that rows of the table are going to be written.
	ChangeOfMembers ChangeKind = "members"
	ChangeOfFiles   ChangeKind = "files"
	// ChangeWritten reports that all that was announced is written: the change counter is even.
	ChangeWritten ChangeKind = "written"
	// ChangeComputed reports that the hours are not stale anymore: their cells and activity are right.
	ChangeComputed ChangeKind = "computed"
	// ChangeOpened, of no organization, says that a loader has started and has read the stale hours. The one before may
	// have been killed between its two inserts: whoever remembers stale hours reads them anew.
	ChangeOpened ChangeKind = "opened"
)
