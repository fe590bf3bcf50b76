package loadtest

import (
	"cmp"
	"maps"
	"slices"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// latencies holds the latencies of answers in a sketch: quantiles are accurate to about a percent, in bounded memory.
type latencies struct {
	count  uint64
	sketch vegeta.LatencyMetrics
}

func (l *latencies) add(d time.Duration) {
	l.count++
	l.sketch.Add(d)
}

// quantile returns the latency that a share of the latencies, from 0 to 1, does not exceed; 0 if there are none.
func (l *latencies) quantile(share float64) time.Duration {
	if l.count == 0 {
		return 0
	}
	return min(l.sketch.Quantile(share), l.sketch.Max)
}

func (l *latencies) summary() Latency {
	if l.count == 0 {
		return Latency{}
	}
	return Latency{
		Count: l.count, Mean: milliseconds(l.sketch.Total) / float64(l.count),
		P50: milliseconds(l.quantile(0.5)), P90: milliseconds(l.quantile(0.9)), P95: milliseconds(l.quantile(0.95)),
		P99: milliseconds(l.quantile(0.99)), P999: milliseconds(l.quantile(0.999)), Max: milliseconds(l.sketch.Max),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// buckets are the lower ends of the histogram's buckets: about seven per factor of ten.
var buckets = vegeta.Buckets{
	0, 100 * time.Microsecond, 150 * time.Microsecond, 200 * time.Microsecond, 300 * time.Microsecond, 400 * time.Microsecond,
	500 * time.Microsecond, 700 * time.Microsecond,
	1 * time.Millisecond, 1500 * time.Microsecond, 2 * time.Millisecond, 3 * time.Millisecond, 4 * time.Millisecond,
	5 * time.Millisecond, 7 * time.Millisecond,
	10 * time.Millisecond, 15 * time.Millisecond, 20 * time.Millisecond, 30 * time.Millisecond, 40 * time.Millisecond,
	50 * time.Millisecond, 70 * time.Millisecond,
	100 * time.Millisecond, 150 * time.Millisecond, 200 * time.Millisecond, 300 * time.Millisecond, 400 * time.Millisecond,
	500 * time.Millisecond, 700 * time.Millisecond,
	1 * time.Second, 1500 * time.Millisecond, 2 * time.Second, 3 * time.Second, 5 * time.Second, 7 * time.Second, 10 * time.Second,
}

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
func kinds(all map[string]*latencies) []Kind {
	var list []Kind
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, Kind{Name: name, Latency: all[name].summary()})
	}
	slices.SortStableFunc(list, func(a, b Kind) int { return cmp.Compare(b.Count, a.Count) })
	return list
}
