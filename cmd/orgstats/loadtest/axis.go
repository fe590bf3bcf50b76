package loadtest

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// axis maps values to fractions of a panel's width or height.
type axis struct {
	name        string
	low, high   float64
	logarithmic bool
	ticks       []tick
}

type tick struct {
	at    float64
	label string
}

// share returns where a value lies on the axis, from 0 to 1; values outside are put at the edge.
func (a axis) share(v float64) float64 {
	if a.logarithmic {
		return clamp(math.Log(max(v, a.low)/a.low) / math.Log(a.high/a.low))
	}
	return clamp((v - a.low) / (a.high - a.low))
}

func clamp(share float64) float64 { return min(max(share, 0), 1) }

// round returns the n-th round number: 1, 2 and 5 times each power of ten, the 0th of which is 1.
func round(n int) float64 {
	power := math.Floor(float64(n) / 3)
	return []float64{1, 2, 5}[n-3*int(power)] * math.Pow(10, power)
}

// atMost returns the greatest n for which the n-th round number is not above a positive value.
func atMost(v float64) int {
	n := 3*int(math.Floor(math.Log10(v))) - 1
	for round(n+1) <= v {
		n++
	}
	return n
}

// logAxis returns a logarithmic axis that covers the values, which must be positive, with ticks at round numbers, or at
// the powers of ten only if there are many.
func logAxis(name string, label func(float64) string, values ...float64) axis {
	first, last := atMost(slices.Min(values)), atMost(slices.Max(values))+1
	a := axis{name: name, low: round(first), high: round(last), logarithmic: true}
	for n := first; n <= last; n++ {
		if last-first <= 12 || n%3 == 0 {
			a.ticks = append(a.ticks, tick{round(n), label(round(n))})
		}
	}
	return a
}

// linearAxis returns an axis from 0 with about five round ticks.
func linearAxis(name string, label func(float64) string, high float64) axis {
	step := round(atMost(max(high, 1e-9)/5) + 1)
	a := axis{name: name, high: math.Ceil(high/step) * step}
	for at := 0.0; at <= a.high+step/2; at += step {
		a.ticks = append(a.ticks, tick{at, label(at)})
	}
	return a
}

func plainNumber(n float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") }
