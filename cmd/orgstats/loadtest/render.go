package loadtest

import (
	"encoding/json"
	"time"

	"github.com/orgstats/orgstats/service/stats"
)

// render returns the body that the answer to a question must have, byte by byte.
func render(q stats.Question, a stats.Answer) ([]byte, error) {
	switch {
	case q.Grouping.By != "":
		return json.Marshal(renderBreakdown(q, a))
	case q.Grouping.Interval != "":
		return json.Marshal(renderSeries(q, a.Total))
	}
	body := statsBody{Figures: a.Total.Window.Figures}
	if q.Previous != (stats.Interval{}) {
		body.Previous = &previousBody{renderWindow(q.Previous), a.Total.Previous.Figures}
	}
	return json.Marshal(body)
}

func renderSeries(q stats.Question, total stats.Row) seriesBody {
	body := seriesBody{
		Interval: q.Grouping.Interval, TimeZone: q.Grouping.Zone.String(), Buckets: bucketsIn(q, ownWindow(q), total.Window),
	}
	if q.Previous != (stats.Interval{}) {
		body.Previous = &previousSeriesBody{renderWindow(q.Previous), bucketsIn(q, q.Previous, total.Previous)}
	}
	return body
}

func ownWindow(q stats.Question) stats.Interval { return stats.Interval{From: q.From, Until: q.Until} }

func renderWindow(i stats.Interval) windowBody {
	text := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(toISOString) }
	return windowBody{text(i.From), text(i.Until - 1)}
}

// bucketsIn returns the buckets of a window. If the figures are of another number of them, some are left out.
func bucketsIn(q stats.Question, window stats.Interval, p stats.Period) []bucketBody {
	g, buckets := q.Grouping, []bucketBody{}
	bounds := g.Bounds(window)
	for n, figures := range p.Series[:min(len(p.Series), max(0, len(bounds)-1))] {
		start, end := bounds[n], bounds[n+1]
		partial := start < window.From || end > window.Until
		buckets = append(buckets, bucketBody{g.Zone.Text(start), g.Zone.Text(end), partial, figures})
	}
	return buckets
}

func renderBreakdown(q stats.Question, a stats.Answer) breakdownBody {
	g := q.Grouping
	b := breakdownBody{
		GroupBy: g.By, OrderBy: g.OrderBy, Order: "desc", Interval: g.Interval, Rows: []groupBody{},
		Total: restBody{a.Groups, renderRow(q, a.Total)},
	}
	if g.Interval != "" {
		b.TimeZone = g.Zone.String()
	}
	if q.Previous != (stats.Interval{}) {
		compared := renderWindow(q.Previous)
		b.Previous = &compared
	}
	for _, row := range a.Rows {
		group := groupBody{rowBody: renderRow(q, row)}
		if !row.None {
			group.Value = &row.Value
		}
		b.Rows = append(b.Rows, group)
	}
	if a.Other != nil {
		b.Other = &restBody{a.Groups - len(a.Rows), renderRow(q, *a.Other)}
	}
	return b
}

func renderRow(q stats.Question, row stats.Row) rowBody {
	b := rowBody{Stats: row.Window.Figures}
	if q.Previous != (stats.Interval{}) {
		b.Previous = &row.Previous.Figures
	}
	if q.Grouping.Interval != "" {
		b.Buckets, b.PreviousBuckets = bucketsIn(q, ownWindow(q), row.Window), bucketsIn(q, q.Previous, row.Previous)
	}
	return b
}
