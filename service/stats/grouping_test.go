package stats_test

import (
	"testing"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats"
)

// Each row of a grouped answer has the figures of a question about that group alone, and there is a row for each group
// that has any.
func TestGroupedAnswers(t *testing.T) {
	d := newDatabase(t)
	d.loadContract()
	store := d.store(stats.Options{Memory: enough})
	q := year("org_acme")
	q.From, q.Until = q.From+cells.MsPerHour, q.From+75*cells.MsPerDay+1 // which cut the first and the last interval
	for _, grouping := range []stats.Grouping{
		{Interval: cells.Month}, {Interval: cells.Day}, {By: stats.ByAgent}, {Interval: cells.Month, By: stats.ByAgent},
	} {
		q.Grouping = grouping
		rows := d.answer(store, q).Rows
		if len(rows) < 2 {
			t.Fatalf("%+v: %d rows", grouping, len(rows))
		}
		var sum uint64
		for _, row := range rows {
			if want := d.answer(store, groupAlone(q, row.Group)).Total(); !agrees(row, grouping, want) {
				t.Errorf("%+v, group %+v:\n   got %+v\n  want %+v", grouping, row.Group, row.Figures, want)
			}
			sum += row.MessageCount
		}
		whole := q
		whole.Grouping = stats.Grouping{}
		if all := d.answer(store, whole).Total(); sum != all.MessageCount || sum == 0 {
			t.Errorf("%+v: the rows have %d messages, want %d", grouping, sum, all.MessageCount)
		}
	}
}

// groupAlone returns the question about one group of a question, not grouped.
func groupAlone(q stats.Question, g stats.Group) stats.Question {
	if interval := q.Grouping.Interval; interval != "" {
		q.From, q.Until = max(q.From, g.Start), min(q.Until, interval.Next(g.Start))
	}
	if q.Grouping.By == stats.ByAgent {
		q.AgentID = g.Value
	}
	q.Grouping = stats.Grouping{}
	return q
}

// agrees reports whether a row has the figures of the question about its group. Files have no agent: they are in the
// row without one. No question is about the messages without one; the sum of all rows holds them.
func agrees(row stats.Row, grouping stats.Grouping, want stats.Figures) bool {
	messages, files := split(row.Figures)
	wantMessages, wantFiles := split(want)
	switch {
	case grouping.By == "":
		return row.Figures == want
	case row.Value == "":
		return files == wantFiles
	}
	return messages == wantMessages && files == stats.Figures{}
}

// split separates the figures of messages from those of files.
func split(all stats.Figures) (messages, files stats.Figures) {
	files = stats.Figures{
		KBFileCount: all.KBFileCount, KBCount: all.KBCount, KBExtractTotalTokens: all.KBExtractTotalTokens,
		KBExtractInputTokens: all.KBExtractInputTokens, KBExtractOutputTokens: all.KBExtractOutputTokens,
	}
	all.KBFileCount, all.KBCount = 0, 0
	all.KBExtractTotalTokens, all.KBExtractInputTokens, all.KBExtractOutputTokens = 0, 0, 0
	return all, files
}
