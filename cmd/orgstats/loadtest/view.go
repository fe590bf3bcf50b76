package loadtest

import (
	"strconv"
	"time"

	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// view is a part of a dashboard, which asks for figures of the window as a whole, over time, or by group.
type view struct {
	name     string
	weight   int
	endpoint string
	compare  bool // with the window before
	series   bool // by interval
	csv      bool
	by       stats.Dimension
	limit    int // of rows
}

// views are drawn as often as dashboards show them; the first fits everybody.
var views = []view{
	{name: "figures", weight: 50, endpoint: statsEndpoint},
	{name: "figures, compared", weight: 16, endpoint: statsEndpoint, compare: true},
	{name: "series", weight: 8, endpoint: seriesEndpoint, series: true},
	{name: "series, compared", weight: 8, endpoint: seriesEndpoint, series: true, compare: true},
	{name: "series in CSV", weight: 1, endpoint: seriesEndpoint, series: true, csv: true},
	{name: "series by agent", weight: 4, endpoint: breakdownEndpoint, by: stats.ByAgent, series: true, limit: 5},
	{name: "by knowledge base", weight: 4, endpoint: breakdownEndpoint, by: stats.ByKnowledgeBase, compare: true, limit: 10},
	{name: "by agent", weight: 6, endpoint: breakdownEndpoint, by: stats.ByAgent, compare: true, limit: 10},
	{name: "by role", weight: 1, endpoint: breakdownEndpoint, by: stats.ByRole, limit: 10},
	{name: "by user", weight: 5, endpoint: breakdownEndpoint, by: stats.ByUser, limit: 25},
	{name: "by metadata", weight: 3, endpoint: breakdownEndpoint, by: stats.ByMetadata, limit: 10},
}

const (
	statsEndpoint     = "getStats"
	seriesEndpoint    = "getTimeSeries"
	breakdownEndpoint = "getBreakdown"
)

// view draws a view that the caller can see. Who asks by hand wants the figures alone.
func (m *mix) view(caller Caller, org *Organization) view {
	if m.byHand {
		return views[0]
	}
	v := pick(m.random, views, func(v view) int { return v.weight })
	ofOthers := v.by == stats.ByUser || v.by == stats.ByMetadata
	if ofOthers && caller.Role != roleAdmin || v.by == stats.ByMetadata && len(org.paths()) == 0 {
		return views[0]
	}
	return v
}

// paths returns the keys of the metadata that people filter by.
func (o *Organization) paths() (all []string) {
	for _, m := range o.Metadata {
		if m.Key != "" {
			all = append(all, m.Key)
		}
	}
	return all
}

// apply asks for what the view shows, in the caller's zone.
func (v view) apply(m *mix, r *request, org *Organization, location *time.Location) {
	q, g := &r.question, &r.question.Grouping
	if r.csv = v.csv; v.csv {
		r.query.Set("format", "csv")
	}
	if v.compare {
		r.query.Set("compare", "previous")
		q.Previous = before(time.UnixMilli(q.From).In(location), time.UnixMilli(q.Until).In(location))
	}
	if v.series {
		g.Interval, g.Zone = intervalOf(q.Until-q.From), calendarOf(location)
		r.query.Set("interval", string(g.Interval))
	}
	if v.compare || v.series {
		r.query.Set("timeZone", location.String())
	}
	if v.by == "" {
		return
	}
	g.By, g.OrderBy, g.Limit = v.by, "messageCount", v.limit
	if v.by == stats.ByKnowledgeBase {
		g.OrderBy = "kbFileCount" // as the service has it
	}
	r.query.Set("groupBy", string(v.by))
	r.query.Set("limit", strconv.Itoa(v.limit))
	if v.by == stats.ByMetadata {
		paths := org.paths()
		g.Path = paths[m.draw(filterLaw, len(paths))]
		r.query.Set("metadataKey", g.Path)
	}
}

// before returns the window that a window is compared with: of as many months before it, where it is whole months of
// the zone, and else as long.
func before(from, until time.Time) stats.Interval {
	months := 12*(until.Year()-from.Year()) + int(until.Month()-from.Month())
	if months > 0 && from.Equal(month(from, 0)) && until.Equal(month(until, 0)) {
		return stats.Interval{From: month(from, -months).UnixMilli(), Until: from.UnixMilli()}
	}
	return stats.Interval{From: 2*from.UnixMilli() - until.UnixMilli(), Until: from.UnixMilli()}
}

// intervalOf returns the interval of a plot over a window of so many milliseconds.
func intervalOf(length int64) calendar.Unit {
	const day = int64(24 * time.Hour / time.Millisecond)
	switch {
	case length <= 2*day:
		return calendar.Hour
	case length <= 92*day:
		return calendar.Day
	case length <= 200*day:
		return calendar.Week
	}
	return calendar.Month
}

// calendarOf returns the calendar of a location of the IANA database.
func calendarOf(location *time.Location) calendar.Zone {
	zone, err := calendar.LoadZone(location.String())
	if err != nil {
		panic(err) // one of zones is wrong
	}
	return zone
}
