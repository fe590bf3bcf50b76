package loadtest

import (
	"cmp"
	"slices"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Latencies holds latencies in a sketch: quantiles are accurate to about a percent, in bounded memory.
type Latencies struct {
	Count  uint64
	sketch vegeta.LatencyMetrics
}

// Add adds a latency.
func (l *Latencies) Add(d time.Duration) {
	l.Count++
	l.sketch.Add(d)
}

// Total returns the sum of the latencies.
func (l *Latencies) Total() time.Duration { return l.sketch.Total }

// Quantile returns the latency that a share of the latencies, from 0 to 1, does not exceed; 0 if there are none.
func (l *Latencies) Quantile(share float64) time.Duration {
	if l.Count == 0 {
		return 0
	}
	return min(l.sketch.Quantile(share), l.sketch.Max)
}

// Summary summarizes the latencies in a report.
func (l *Latencies) Summary() Latency {
	if l.Count == 0 {
		return Latency{}
	}
	return Latency{
		Count: l.Count, Mean: milliseconds(l.sketch.Total) / float64(l.Count),
		P50: milliseconds(l.Quantile(0.5)), P90: milliseconds(l.Quantile(0.9)), P95: milliseconds(l.Quantile(0.95)),
		P99: milliseconds(l.Quantile(0.99)), P999: milliseconds(l.Quantile(0.999)), Max: milliseconds(l.sketch.Max),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// buckets are the lower ends of the histogram's buckets: seven per factor of ten.
var buckets = func() vegeta.Buckets {
	all := vegeta.Buckets{0}
	for power := 100 * time.Microsecond; power <= time.Second; power *= 10 {
		for _, tenths := range []time.Duration{10, 15, 20, 30, 40, 50, 70} {
			all = append(all, power*tenths/10)
		}
	}
	return append(all, 10*time.Second)
}()

// bucketsOf returns the buckets from the first to the last that is not empty.
func bucketsOf(h vegeta.Histogram) []Bucket {
	var all []Bucket
	for i, count := range h.Counts {
		if count == 0 && len(all) == 0 {
			continue
		}
		b := Bucket{From: milliseconds(h.Buckets[i]), Count: count}
		if i+1 < len(h.Buckets) {
			b.To = milliseconds(h.Buckets[i+1])
		}
		all = append(all, b)
	}
	for len(all) > 0 && all[len(all)-1].Count == 0 {
		all = all[:len(all)-1]
	}
	return all
}

// kinds returns the latencies by name, those with the most answers first.
func kinds(all map[string]*Latencies) []Kind {
	var list []Kind
	for name, l := range all {
		list = append(list, Kind{Name: name, Latency: l.Summary()})
	}
	slices.SortFunc(list, func(a, b Kind) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	return list
}
