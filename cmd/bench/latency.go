package main

import (
	"math"
	"slices"
	"time"
)

// latencies are the latencies of one operation.
type latencies []time.Duration

// quantile returns the smallest of the latencies that a share of them, from 0 to 1, does not exceed; 0 if there are
// none.
func (l latencies) quantile(share float64) time.Duration {
	if len(l) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(l))
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func (l latencies) sum() (total time.Duration) {
	for _, d := range l {
		total += d
	}
	return total
}

// latencySummary summarizes latencies in a report, in milliseconds.
type latencySummary struct {
	Count int     `json:"count"`
	P50   float64 `json:"p50Ms"`
	P99   float64 `json:"p99Ms"`
}

func (l latencies) summary() latencySummary {
	return latencySummary{len(l), milliseconds(l.quantile(0.5)), milliseconds(l.quantile(0.99))}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// timed runs do and appends its duration to the latencies, unless it fails.
func (l *latencies) timed(do func() error) error {
	started := time.Now()
	err := do()
	if err == nil {
		*l = append(*l, time.Since(started))
	}
	return err
}
