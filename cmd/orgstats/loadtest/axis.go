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

// logAxis returns a logarithmic axis that covers the values, which must be positive, with ticks at 1, 2 and 5 times
// each power of ten, or at the powers only if there are many.
func logAxis(name string, label func(float64) string, values ...float64) axis {
	a := axis{name: name, low: slices.Min(values), high: slices.Max(values), logarithmic: true}
	var all []float64
	for power := math.Floor(math.Log10(a.low)); power <= math.Ceil(math.Log10(a.high)); power++ {
		for _, factor := range []float64{1, 2, 5} {
			all = append(all, factor*math.Pow(10, power))
		}
	}
	first, last := 0, len(all)-1
	for first+1 < len(all) && all[first+1] <= a.low {
		first++
	}
	for last > first+1 && all[last-1] >= a.high {
		last--
	}
	a.low, a.high = min(a.low, all[first]), max(a.high, all[last])
	for i, at := range all[first : last+1] {
		if last-first <= 12 || (first+i)%3 == 0 {
			a.ticks = append(a.ticks, tick{at, label(at)})
		}
	}
	return a
}

// linearAxis returns an axis from 0 with about five round ticks.
func linearAxis(name string, label func(float64) string, high float64) axis {
	power := math.Pow(10, math.Floor(math.Log10(max(high, 1e-9)/5)))
	step := 10 * power
	for _, factor := range []float64{5, 2, 1} {
		if factor*power >= high/5 {
			step = factor * power
		}
	}
	a := axis{name: name, high: math.Ceil(high/step) * step}
	for at := 0.0; at <= a.high+step/2; at += step {
		a.ticks = append(a.ticks, tick{at, label(at)})
	}
	return a
}

func plainNumber(n float64) string { return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") }
