package e2e

import "github.com/orgstats/orgstats/service/stats"

// plain returns the plain query's answer in the oracle's words.
func (q asking) plain(a stats.Answer) (r result) {
	r.total = q.plainRow(a.Total)
	r.total.groups = a.Groups
	for _, one := range a.Rows {
		shown := q.plainRow(one)
		if !one.None {
			shown.value = &one.Value
		}
		r.rows = append(r.rows, shown)
	}
	if a.Other != nil {
		other := q.plainRow(*a.Other)
		other.groups = a.Groups - len(a.Rows)
		r.other = &other
	}
	return r
}

func (q asking) plainRow(r stats.Row) row {
	return row{window: plainPeriod(r.Window, len(q.buckets)), before: plainPeriod(r.Previous, len(q.bucketsBefore))}
}

// plainPeriod returns a period. The plain query has no figures of the buckets before all records.
func plainPeriod(p stats.Period, buckets int) period {
	all := make([]stats.Figures, max(0, buckets-len(p.Series)))
	shown := period{figures: plainFigures(p.Figures)}
	for _, f := range append(all, p.Series...) {
		shown.buckets = append(shown.buckets, plainFigures(f))
	}
	return shown
}

func plainFigures(f stats.Figures) figures {
	named := figures{}
	for n, value := range f.Values() {
		named[stats.FigureNames[n]] = int64(value)
	}
	return named
}
