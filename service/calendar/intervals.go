package calendar

import (
	"math"
	"time"
)

const secondsPerHour = 3600

// maxOffset is more, in seconds, than any zone was ever away from UTC.
const maxOffset = 16 * secondsPerHour

// Bounds returns the starts of the intervals that a window touches, from <= t < until in milliseconds since 1970 UTC,
// and the end of the last one: one more time than there are intervals, and none for an empty window. It stops at most
// intervals, and the last time is before until then.
func (z Zone) Bounds(u Unit, from, until int64, most int) (bounds []int64) {
	if from >= until {
		return nil
	}
	at := z.start(u, time.UnixMilli(from))
	for {
		bounds = append(bounds, at.UnixMilli())
		if at.UnixMilli() >= until || len(bounds) > most {
			return bounds
		}
		if bounds = z.steady(bounds, u, at, until, most); len(bounds) > most {
			return bounds
		}
		at = z.next(u, time.UnixMilli(bounds[len(bounds)-1]).In(z.location))
	}
}

// lengths are those of units that are as long as others, in seconds, while the clocks are not changed.
var lengths = map[Unit]int64{Hour: secondsPerHour, Day: 24 * secondsPerHour, Week: 7 * 24 * secondsPerHour}

// steady appends the bounds after one as long as the clocks are not changed: looking each of them up takes most of the
// time of a series.
func (z Zone) steady(bounds []int64, u Unit, at time.Time, until int64, most int) []int64 {
	length := lengths[u]
	_, offset := at.In(z.location).Zone()
	if clock := at.Unix() + int64(offset); length == 0 || u == Hour && clock%secondsPerHour != 0 || u != Hour && clock%lengths[Day] != 0 {
		return bounds // months differ; and an interval that begins as the clocks are changed may be of any length
	}
	end := int64(math.MaxInt64)
	if change := z.changeAfter(at); !change.IsZero() {
		end = change.UnixMilli()
	}
	for next := bounds[len(bounds)-1] + 1000*length; next < min(end, until) && len(bounds) <= most; next += 1000 * length {
		bounds = append(bounds, next)
	}
	return bounds
}

// start returns the start of the interval that holds an instant.
func (z Zone) start(u Unit, t time.Time) time.Time {
	if u == Hour {
		return z.hourStart(t)
	}
	local := t.In(z.location)
	for back := 0; ; back++ {
		// The clocks may show another date once more, after they were set back over midnight: the interval that holds
		// the instant began with the later date then.
		first := z.first(date(u, local, 1-back))
		if !first.After(t) {
			return first
		}
	}
}

// next returns the start of the interval after the one that starts at an instant.
func (z Zone) next(u Unit, start time.Time) time.Time {
	if u == Hour {
		return z.nextHour(start)
	}
	local := start.In(z.location)
	for ahead := 1; ; ahead++ {
		if next := z.first(date(u, local, ahead)); next.After(start) { // a date that was skipped starts with the next one
			return next
		}
	}
}

// date returns the date on which the unit that holds a local time begins, or the one so many units later, as midnight
// of UTC.
func date(u Unit, local time.Time, later int) time.Time {
	year, month, day := local.Date()
	switch u {
	case Day:
		day += later
	case Week:
		const monday = 6 // days after which a Sunday's week has begun
		day += 7*later - (int(local.Weekday())+monday)%7
	case Month:
		month, day = month+time.Month(later), 1
	case Quarter:
		month, day = month-(month-1)%3+time.Month(3*later), 1
	default:
		year, month, day = year+later, time.January, 1
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// first returns the first instant at which the zone's clocks show a local time or a later one. The local time is given
// as the same time in UTC.
func (z Zone) first(local time.Time) time.Time {
	for at := time.Unix(local.Unix()-maxOffset, 0).In(z.location); ; {
		_, offset := at.Zone()
		end := z.changeAfter(at)
		reached := time.Unix(max(at.Unix(), local.Unix()-int64(offset)), 0).In(z.location)
		if end.IsZero() || reached.Before(end) {
			return reached
		}
		at = end
	}
}

// hourStart returns the start of the hour that holds an instant.
func (z Zone) hourStart(t time.Time) time.Time {
	start := t.In(z.location)
	for {
		_, offset := start.Zone()
		full := time.Unix(int64(floor(start.Unix()+int64(offset), secondsPerHour)-offset), 0).In(z.location)
		change := z.changeBefore(start)
		if change.IsZero() || !full.Before(change) {
			return full
		}
		if z.startsHour(change) {
			return change
		}
		start = change.Add(-1).In(z.location)
	}
}

// nextHour returns the start of the hour after the one that starts at an instant.
func (z Zone) nextHour(start time.Time) time.Time {
	at := start.In(z.location)
	for {
		_, offset := at.Zone()
		full := time.Unix(int64(floor(at.Unix()+int64(offset), secondsPerHour)-offset+secondsPerHour), 0).In(z.location)
		change := z.changeAfter(at)
		if change.IsZero() || full.Before(change) {
			return full
		}
		if z.startsHour(change) {
			return change
		}
		at = change
	}
}

// changeAfter returns a time after an instant before which the clocks are not changed: when they are next, or earlier.
// It is zero where they never are.
//
// From 2038 on, time.ZoneBounds ends leap years a day early, and so before instants of their last day.
func (z Zone) changeAfter(t time.Time) time.Time {
	_, end := t.In(z.location).ZoneBounds()
	if !end.IsZero() && !end.After(t) {
		return t.Add(time.Hour).In(z.location)
	}
	return end
}

// changeBefore returns when the clocks were changed before an instant, or a time after that; it is zero where they
// never were.
func (z Zone) changeBefore(t time.Time) time.Time {
	start, _ := t.In(z.location).ZoneBounds()
	if start.After(t) {
		return t.Add(-time.Hour).In(z.location)
	}
	return start
}

// startsHour reports whether an hour begins as the clocks are changed: at a full hour, or in another than they left.
func (z Zone) startsHour(change time.Time) bool {
	after, before := change.In(z.location), change.Add(-1).In(z.location)
	return after.Minute() == 0 && after.Second() == 0 || after.Hour() != before.Hour()
}
