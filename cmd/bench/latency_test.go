package main

import (
	"testing"
	"time"
)

func TestQuantileIsAMeasuredLatency(t *testing.T) {
	upTo := func(n int) (l latencies) {
		for i := range n {
			l = append(l, time.Duration(n-i)) // the greatest first
		}
		return l
	}
	for _, c := range []struct {
		reason string
		in     latencies
		share  float64
		want   time.Duration
	}{
		{"of nothing there is none", nil, 0.5, 0},
		{"one is every quantile", upTo(1), 0.99, 1},
		{"of an odd number the median is the middle one", upTo(5), 0.5, 3},
		{"of an even number it is the lower of the two", upTo(4), 0.5, 2},
		{"of a hundred, 99 don't exceed the 99th", upTo(100), 0.99, 99},
		{"of few, p99 is the greatest", upTo(20), 0.99, 20},
		{"the whole is the greatest", upTo(20), 1, 20},
	} {
		if got := c.in.quantile(c.share); got != c.want {
			t.Errorf("%s: quantile(%v) of %v is %d, want %d", c.reason, c.share, c.in, got, c.want)
		}
	}
}

func TestQuantileLeavesTheOrderAlone(t *testing.T) {
	l := latencies{3, 1, 2}
	l.quantile(0.5)
	if l[0] != 3 || l[1] != 1 || l[2] != 2 {
		t.Errorf("the latencies were sorted in place: %v", l)
	}
}
