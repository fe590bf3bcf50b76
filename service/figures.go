package service

import (
	"encoding/json"

	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// windowJSON is a window as it is sent, both ends inclusive.
type windowJSON struct {
	From string `json:"from"`
	To   string `json:"to"`
}

func windowOf(i stats.Interval) windowJSON {
	return windowJSON{stats.Instant(i.From), stats.Instant(i.Until - 1)}
}

// previousOf returns the window that is compared, nil if none is.
func previousOf(q stats.Question) *windowJSON {
	if q.Previous == (stats.Interval{}) {
		return nil
	}
	w := windowOf(q.Previous)
	return &w
}

// statsJSON is the answer of getStats.
type statsJSON struct {
	stats.Figures
	Previous *previousJSON `json:"previous,omitempty"`
}

type previousJSON struct {
	windowJSON
	Stats stats.Figures `json:"stats"`
}

func renderStats(q stats.Question, a stats.Answer) any {
	if q.Previous == (stats.Interval{}) {
		return a.Total.Window.Figures
	}
	return statsJSON{a.Total.Window.Figures, &previousJSON{windowOf(q.Previous), a.Total.Previous.Figures}}
}

// bucketJSON is the figures of an interval. Its start and end are the calendar's: what counts is the part of it in the
// window.
type bucketJSON struct {
	Start   string        `json:"start"`
	End     string        `json:"end"`
	Partial bool          `json:"partial"`
	Stats   stats.Figures `json:"stats"`
}

// axis is the buckets of a window without figures, which all rows have alike.
type axis []bucketJSON

// axisOf returns the buckets of a window; there are none of one that is not divided.
func axisOf(g stats.Grouping, window stats.Interval) (a axis) {
	if g.Interval == "" {
		return nil
	}
	bounds := g.Bounds(window)
	for n := range max(0, len(bounds)-1) {
		start, end := bounds[n], bounds[n+1]
		a = append(a, bucketJSON{Start: g.Zone.Text(start), End: g.Zone.Text(end), Partial: start < window.From || end > window.Until})
	}
	return a
}

// with returns the buckets with the figures of a period.
func (a axis) with(p stats.Period) []bucketJSON {
	buckets := make([]bucketJSON, len(p.Series))
	for n, figures := range p.Series {
		buckets[n] = a[n]
		buckets[n].Stats = figures
	}
	return buckets
}

// axes are those of both windows of a question.
type axes struct{ window, previous axis }

func axesOf(q stats.Question) axes {
	return axes{axisOf(q.Grouping, windowOfQuestion(q)), axisOf(q.Grouping, q.Previous)}
}

func windowOfQuestion(q stats.Question) stats.Interval {
	return stats.Interval{From: q.From, Until: q.Until}
}

// seriesJSON is the answer of getTimeSeries.
type seriesJSON struct {
	Interval calendar.Unit       `json:"interval"`
	TimeZone string              `json:"timeZone"`
	Buckets  []bucketJSON        `json:"buckets"`
	Previous *previousSeriesJSON `json:"previous,omitempty"`
}

type previousSeriesJSON struct {
	windowJSON
	Buckets []bucketJSON `json:"buckets"`
}

func renderSeries(q stats.Question, a stats.Answer) any {
	axes := axesOf(q)
	s := seriesJSON{
		Interval: q.Grouping.Interval, TimeZone: q.Grouping.Zone.String(),
		Buckets: axes.window.with(a.Total.Window),
	}
	if q.Previous != (stats.Interval{}) {
		s.Previous = &previousSeriesJSON{windowOf(q.Previous), axes.previous.with(a.Total.Previous)}
	}
	return s
}

// breakdownJSON is the answer of getBreakdown.
type breakdownJSON struct {
	GroupBy  stats.Dimension `json:"groupBy"`
	OrderBy  string          `json:"orderBy"`
	Order    string          `json:"order"`
	Interval calendar.Unit   `json:"interval,omitempty"`
	TimeZone string          `json:"timeZone,omitempty"`
	Previous *windowJSON     `json:"previous,omitempty"`
	Rows     []groupJSON     `json:"rows"`
	Other    *restJSON       `json:"other"`
	Total    restJSON        `json:"total"`
}

// rowJSON is the figures of one group, or of several.
type rowJSON struct {
	Stats    stats.Figures  `json:"stats"`
	Previous *stats.Figures `json:"previous,omitempty"`
	Buckets  []bucketJSON   `json:"buckets,omitempty"`

	PreviousBuckets []bucketJSON `json:"previousBuckets,omitempty"` // of the window that is compared
}

type groupJSON struct {
	Value value `json:"value"`
	rowJSON
}

// restJSON is the figures of several groups.
type restJSON struct {
	Groups int `json:"groups"`
	rowJSON
}

// value is that of a group, null for the group of what has none.
type value stats.Group

func (v value) MarshalJSON() ([]byte, error) {
	if v.None {
		return []byte("null"), nil
	}
	return json.Marshal(v.Value)
}

func renderBreakdown(q stats.Question, a stats.Answer) any {
	axes := axesOf(q)
	b := breakdownJSON{
		GroupBy: q.Grouping.By, OrderBy: q.Grouping.OrderBy, Order: orderOf(q.Grouping), Interval: q.Grouping.Interval,
		TimeZone: q.Grouping.Zone.String(), Previous: previousOf(q), Rows: make([]groupJSON, len(a.Rows)),
		Total: restJSON{a.Groups, rowOf(q, axes, a.Total)},
	}
	for n, row := range a.Rows {
		b.Rows[n] = groupJSON{value(row.Group), rowOf(q, axes, row)}
	}
	if a.Other != nil {
		b.Other = &restJSON{a.Groups - len(a.Rows), rowOf(q, axes, *a.Other)}
	}
	return b
}

func orderOf(g stats.Grouping) string {
	if g.Ascending {
		return "asc"
	}
	return "desc"
}

func rowOf(q stats.Question, a axes, row stats.Row) rowJSON {
	r := rowJSON{Stats: row.Window.Figures, Buckets: a.window.with(row.Window)}
	if q.Previous != (stats.Interval{}) {
		r.Previous, r.PreviousBuckets = &row.Previous.Figures, a.previous.with(row.Previous)
	}
	return r
}
