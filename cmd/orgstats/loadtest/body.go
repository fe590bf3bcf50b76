package loadtest

import (
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// The bodies of answers, as the contract has them: which fields, and in which order.

type statsBody struct {
	stats.Figures
	Previous *previousBody `json:"previous,omitempty"`
}

type windowBody struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type previousBody struct {
	windowBody
	Stats stats.Figures `json:"stats"`
}

type previousSeriesBody struct {
	windowBody
	Buckets []bucketBody `json:"buckets"`
}

type bucketBody struct {
	Start   string        `json:"start"`
	End     string        `json:"end"`
	Partial bool          `json:"partial"`
	Stats   stats.Figures `json:"stats"`
}

type seriesBody struct {
	Interval calendar.Unit       `json:"interval"`
	TimeZone string              `json:"timeZone"`
	Buckets  []bucketBody        `json:"buckets"`
	Previous *previousSeriesBody `json:"previous,omitempty"`
}

type breakdownBody struct {
	GroupBy  stats.Dimension `json:"groupBy"`
	OrderBy  string          `json:"orderBy"`
	Order    string          `json:"order"`
	Interval calendar.Unit   `json:"interval,omitempty"`
	TimeZone string          `json:"timeZone,omitempty"`
	Previous *windowBody     `json:"previous,omitempty"`
	Rows     []groupBody     `json:"rows"`
	Other    *restBody       `json:"other"`
	Total    restBody        `json:"total"`
}

type rowBody struct {
	Stats    stats.Figures  `json:"stats"`
	Previous *stats.Figures `json:"previous,omitempty"`
	Buckets  []bucketBody   `json:"buckets,omitempty"`

	PreviousBuckets []bucketBody `json:"previousBuckets,omitempty"`
}

type groupBody struct {
	Value *string `json:"value"` // null: the records that have none
	rowBody
}

type restBody struct {
	Groups int `json:"groups"`
	rowBody
}

// body is one of the three.
type body interface {
	answer() stats.Answer
}

// bodyOf returns an empty body of the answer to a question.
func bodyOf(q stats.Question) body {
	switch {
	case q.Grouping.By != "":
		return &breakdownBody{}
	case q.Grouping.Interval != "":
		return &seriesBody{}
	}
	return &statsBody{}
}

func (b *statsBody) answer() stats.Answer {
	total := stats.Row{Window: stats.Period{Figures: b.Figures}}
	if b.Previous != nil {
		total.Previous.Figures = b.Previous.Stats
	}
	return stats.Answer{Total: total}
}

func (b *seriesBody) answer() stats.Answer {
	total := stats.Row{Window: stats.Period{Series: seriesOf(b.Buckets)}}
	if b.Previous != nil {
		total.Previous.Series = seriesOf(b.Previous.Buckets)
	}
	return stats.Answer{Total: total}
}

func (b *breakdownBody) answer() stats.Answer {
	a := stats.Answer{Total: b.Total.row(), Groups: b.Total.Groups}
	for _, group := range b.Rows {
		row := group.row()
		if row.None = group.Value == nil; !row.None {
			row.Value = *group.Value
		}
		a.Rows = append(a.Rows, row)
	}
	if b.Other != nil {
		other := b.Other.row()
		a.Other = &other
	}
	return a
}

func (b rowBody) row() (r stats.Row) {
	r.Window = stats.Period{Figures: b.Stats, Series: seriesOf(b.Buckets)}
	if b.Previous != nil {
		r.Previous = stats.Period{Figures: *b.Previous, Series: seriesOf(b.PreviousBuckets)}
	}
	return r
}

func seriesOf(buckets []bucketBody) (series []stats.Figures) {
	for _, b := range buckets {
		series = append(series, b.Stats)
	}
	return series
}
