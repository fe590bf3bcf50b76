package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// groupedGoal is what is wanted of a grouped question once it is in memory; a bound that is 0 is none.
type groupedGoal struct {
	MostToStats float64 `json:"mostToStats,omitempty"` // times the latency of the window as a whole
	MostWarm    float64 `json:"mostWarmMs,omitempty"`
	LeastPlain  float64 `json:"leastPlainToWarm,omitempty"` // times as fast as the plain query
}

var (
	seriesGoal    = &groupedGoal{MostToStats: 3}
	breakdownGoal = &groupedGoal{MostWarm: 20, LeastPlain: 100}
)

// reached reports whether a result keeps the goal.
func (g *groupedGoal) reached(r groupedResult) bool {
	return (g.MostToStats == 0 || r.ToStats <= g.MostToStats) && (g.MostWarm == 0 || r.Warm.P50 < g.MostWarm) && r.PlainRatio >= g.LeastPlain
}

// String returns the goal as a cell of a table.
func (g *groupedGoal) String() string {
	if g == nil {
		return "-"
	}
	var bounds []string
	if g.MostToStats > 0 {
		bounds = append(bounds, fmt.Sprintf("getStats x %g", g.MostToStats))
	}
	if g.MostWarm > 0 {
		bounds = append(bounds, fmt.Sprintf("< %g ms", g.MostWarm))
	}
	if g.LeastPlain > 0 {
		bounds = append(bounds, fmt.Sprintf("plain / %g", g.LeastPlain))
	}
	return strings.Join(bounds, ", ")
}

// yearOf returns the year of the records by a zone's calendar, which has 365 days.
func yearOf(zone calendar.Zone) stats.Interval {
	summer := instant("2025-07-01T00:00:00Z").UnixMilli()
	bounds := zone.Bounds(calendar.Year, summer, summer+1, 1)
	return stats.Interval{From: bounds[0], Until: bounds[1]}
}

// newGroupedCases returns series of 365 days, and breakdowns, of a year.
func newGroupedCases(org sample.Organization) (cases []*groupedCase, err error) {
	add := func(grouping, filter string, g stats.Grouping, goal *groupedGoal) {
		year := yearOf(cmp.Or(g.Zone, calendar.UTC))
		c := &groupedCase{
			grouping: grouping, filter: filter, goal: goal,
			whole: stats.Question{OrgID: org.ID, From: year.From, Until: year.Until},
		}
		for _, f := range filters(org) {
			if f.name == filter {
				f.apply(&c.whole)
			}
		}
		c.question = c.whole
		c.question.Grouping = g
		cases = append(cases, c)
	}
	for _, name := range []string{"UTC", "Europe/Berlin", "Asia/Kathmandu"} {
		zone, err := calendar.LoadZone(name)
		if err != nil {
			return nil, err
		}
		add("days, "+name, "none", stats.Grouping{Interval: calendar.Day, Zone: zone}, seriesGoal)
	}
	for _, filter := range []string{"agent", "user"} {
		add("days, UTC", filter, stats.Grouping{Interval: calendar.Day, Zone: calendar.UTC}, nil)
	}
	rows := stats.Grouping{By: stats.ByAgent, OrderBy: "messageCount", Limit: 100}
	add("agent", "none", rows, breakdownGoal)
	rows.By = stats.ByUser
	add("user", "none", rows, nil)
	rows.By, rows.Path = stats.ByMetadata, sample.MetadataFilters[1].Key
	add("metadata", "none", rows, nil)
	return cases, nil
}
