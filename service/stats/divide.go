package stats

import (
	"cmp"
	"slices"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
)

// Interval is a part of a window: From <= t < Until, in milliseconds since 1970 UTC.
type Interval struct{ From, Until int64 }

// possible returns the part of the interval in which records may be.
func (i Interval) possible() Interval {
	return Interval{max(i.From, cells.MinTime), min(i.Until, cells.MaxTime+1)}
}

// Instant returns a time, in milliseconds since 1970 UTC, as RFC 3339.
func Instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// piece is a bucket of time, by its grain and start.
type piece struct {
	grain cells.Grain
	start int64
}

func (p piece) interval() Interval { return Interval{p.start, p.grain.Next(p.start)} }

// division is a window divided into whole buckets, coarsest first, and what is left beside them. Its parts cover the
// window and do not overlap.
type division struct {
	pieces []piece
	rest   []Interval // none of which touches the next in the same slot

	slot int // where the rest of the slot that is being divided begins
}

// divide divides slots, none of which overlaps another, into buckets, as coarse as they fit into a slot and hold
// nothing stale.
func divide(slots []Interval, grains []cells.Grain, anyStale func(Interval) bool) division {
	d := division{}
	for _, slot := range slots {
		d.slot = len(d.rest)
		if slot.From < slot.Until {
			d.cover(slot, grains, anyStale)
		}
	}
	return d
}

// cover assigns the buckets of the first grain that lie in the interval, and the rest to the finer grains.
func (d *division) cover(i Interval, grains []cells.Grain, anyStale func(Interval) bool) {
	if len(grains) == 0 {
		d.rest = append(d.rest[:d.slot], appendJoined(d.rest[d.slot:], i)...)
		return
	}
	grain, finer := grains[0], grains[1:]
	rest := i.From // what lies before is assigned
	for from := grain.Ceil(i.From); ; {
		until := grain.Next(from)
		if until > i.Until {
			break
		}
		if !anyStale(Interval{from, until}) {
			if rest < from {
				d.cover(Interval{rest, from}, finer, anyStale)
			}
			d.pieces = append(d.pieces, piece{grain, from})
			rest = until
		}
		from = until
	}
	if rest < i.Until {
		d.cover(Interval{rest, i.Until}, finer, anyStale)
	}
}

// appendJoined appends an interval, joined to the last one when they touch.
func appendJoined(intervals []Interval, i Interval) []Interval {
	if last := len(intervals) - 1; last >= 0 && intervals[last].Until == i.From {
		intervals[last].Until = i.Until
		return intervals
	}
	return append(intervals, i)
}

// unitsOf divides intervals at the bounds of a grain.
func unitsOf(intervals []Interval, unit cells.Grain) (units []Interval) {
	for _, i := range intervals {
		for from := i.From; from < i.Until; {
			until := min(i.Until, unit.Next(unit.Start(from)))
			units = append(units, Interval{from, until})
			from = until
		}
	}
	return units
}

// overlaps reports whether two intervals have a moment in common.
func (i Interval) overlaps(other Interval) bool { return i.From < other.Until && other.From < i.Until }

// mergeIntervals returns the intervals of two lists, neither of which overlaps the other, in order, joined where they
// touch.
func mergeIntervals(a, b []Interval) (merged []Interval) {
	all := slices.Concat(a, b)
	slices.SortFunc(all, func(x, y Interval) int { return cmp.Compare(x.From, y.From) })
	for _, i := range all {
		merged = appendJoined(merged, i)
	}
	return merged
}

// without returns a list without some of its items.
func without[T any](list []T, which func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(list), which)
}

// startsOf returns the starts of intervals, in order.
func startsOf(intervals []Interval) (starts []int64) {
	for _, i := range intervals {
		starts = append(starts, i.From)
	}
	slices.Sort(starts)
	return starts
}

// intervalsIn returns the intervals of pieces.
func intervalsIn(pieces []piece) (intervals []Interval) {
	for _, p := range pieces {
		intervals = append(intervals, p.interval())
	}
	return intervals
}

// intervalsOf returns the intervals of pieces of a grain, or of all, in order and joined where they touch.
func intervalsOf(pieces []piece, grain cells.Grain) (intervals []Interval) {
	for _, p := range pieces {
		if grain == "" || p.grain == grain {
			intervals = append(intervals, p.interval())
		}
	}
	return mergeIntervals(intervals, nil)
}

// wholeUnits returns the whole units that hold intervals, which come in order, joined where they touch.
func wholeUnits(intervals []Interval, unit cells.Grain) (units []Interval) {
	var pieces []piece
	for _, i := range intervals {
		p := piece{unit, unit.Start(i.From)}
		if last := len(pieces) - 1; last < 0 || pieces[last] != p { // an interval may share its unit with the one before
			pieces = append(pieces, p)
		}
	}
	return intervalsOf(pieces, unit)
}
