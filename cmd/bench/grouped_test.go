package main

import (
	"strings"
	"testing"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service/stats"
)

func TestGroupedQuestionsAreThoseOfTheGoals(t *testing.T) {
	org := sample.Organization{ID: "org_a", TopAgentID: "7", MemberUserID: "user_1"}
	cases, err := newGroupedCases(org)
	if err != nil {
		t.Fatal(err)
	}
	goals := map[*groupedGoal]int{}
	for _, c := range cases {
		goals[c.goal]++
		if (c.filter == "none") != (c.question.Filter == stats.Filter{}) || c.whole.Filter != c.question.Filter {
			t.Errorf("%s, %s asks %+v beside %+v", c.grouping, c.filter, c.question, c.whole)
		}
		g := c.question.Grouping
		if g.Interval == "" {
			continue
		}
		bounds := g.Bounds(stats.Interval{From: c.question.From, Until: c.question.Until})
		if len(bounds) != 365+1 || bounds[0] != c.whole.From || bounds[365] != c.whole.Until {
			t.Errorf("%s, %s is a series of %d days, and no calendar's year", c.grouping, c.filter, len(bounds)-1)
		}
	}
	if goals[seriesGoal] != 3 || goals[breakdownGoal] != 1 || len(cases) != 8 {
		t.Errorf("%d questions, with goals %v", len(cases), goals)
	}
}

func TestGroupedTableTellsOfMissedGoals(t *testing.T) {
	warm := func(p50 float64) loadtest.Latency { return loadtest.Latency{Count: 20, P50: p50, P99: 2 * p50} }
	r := &report{Messages: 3_000_000, Grouped: []groupedResult{
		{Grouping: "days, UTC", Filter: "none", Rows: 365, Warm: warm(3), ToStats: 3, PlainRatio: 500, Goal: seriesGoal},
		{Grouping: "days, Asia/Kathmandu", Filter: "none", Rows: 365, Warm: warm(3), ToStats: 3.1, PlainRatio: 500, Goal: seriesGoal},
		{Grouping: "agent", Filter: "none", Rows: 200, Warm: warm(19), ToStats: 900, PlainRatio: 100, Goal: breakdownGoal},
		{Grouping: "agent", Filter: "none", Rows: 200, Warm: warm(20), ToStats: 900, PlainRatio: 100, Goal: breakdownGoal},
		{Grouping: "agent", Filter: "none", Rows: 200, Warm: warm(19), ToStats: 900, PlainRatio: 99, Goal: breakdownGoal},
		{Grouping: "user", Filter: "none", Rows: 100, Warm: warm(900), ToStats: 900, PlainRatio: 1},
	}}
	var out strings.Builder
	r.printGrouped(&out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2+6+1 {
		t.Fatalf("the table has %d lines, want a title, a head, six rows and a count:\n%s", len(lines), out.String())
	}
	for _, line := range lines[2:8] {
		if len(line) != len(lines[1]) {
			t.Errorf("a row is not as long as the head:\n%s", out.String())
		}
	}
	if !strings.HasSuffix(lines[8], ": 3") {
		t.Errorf("three goals are missed, and the count reads %q", lines[8])
	}
}
