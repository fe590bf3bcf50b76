package e2e

import (
	"math"
	"sort"
	"time"
)

// window is a half-open part of time, in milliseconds since 1970.
type window struct{ from, until int64 }

func (w window) holds(ms int64) bool { return w.from <= ms && ms < w.until }

// clocks are those of a time zone. The oracle knows no rules of calendars: it reads at one second after another what
// the clocks show, and an interval begins where that says so.
type clocks struct{ zone *time.Location }

func clocksOf(name string) clocks {
	zone, err := time.LoadLocation(name)
	if err != nil {
		panic(err) // the generator said that it is a zone
	}
	return clocks{zone}
}

func (c clocks) at(second int64) time.Time { return time.Unix(second, 0).In(c.zone) }

func (c clocks) offset(second int64) int {
	_, offset := c.at(second).Zone()
	return offset
}

// date returns the latest date that the clocks have shown until a second, as midnight of UTC: a date that comes back,
// because the clocks were set back over midnight, does not begin a second time.
func (c clocks) date(second int64) time.Time {
	const remembered = 26 * 3600
	latest := dateOf(c.at(second))
	if c.offset(second) == c.offset(second-remembered) {
		return latest
	}
	for at := second - remembered; at < second; at += 60 {
		if date := dateOf(c.at(at)); date.After(latest) {
			latest = date
		}
	}
	return latest
}

func dateOf(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// label returns the first date of the interval that the date belongs to.
func (c clocks) label(interval string, second int64) time.Time {
	date := c.date(second)
	switch interval {
	case "week":
		for date.Weekday() != time.Monday {
			date = date.AddDate(0, 0, -1)
		}
	case "month", "quarter", "year":
		date = date.AddDate(0, 0, 1-date.Day())
		for interval == "quarter" && date.Month()%3 != 1 || interval == "year" && date.Month() != time.January {
			date = date.AddDate(0, -1, 0)
		}
	}
	return date
}

// showsNewHour reports whether the clocks show a full hour at a second, or another hour than a second before.
func (c clocks) showsNewHour(second int64) bool {
	now, before := c.at(second), c.at(second-1)
	return now.Minute() == 0 && now.Second() == 0 || now.Hour() != before.Hour()
}

// step returns how many seconds ahead something may begin at the earliest: offsets are of whole minutes, but for those
// of the time before there were zones.
func (c clocks) step(second int64) int64 {
	if second%60 != 0 || c.offset(second)%60 != 0 {
		return 1
	}
	return 60
}

// longest is more seconds than any interval has.
const longest = 370 * 24 * 3600

// begin returns the second at which the interval began that holds a second.
func (c clocks) begin(interval string, second int64) int64 {
	if interval == "hour" {
		for !c.showsNewHour(second) {
			second -= c.step(second)
		}
		return second
	}
	label := c.label(interval, second)
	return second - int64(sort.Search(longest, func(n int) bool { return c.label(interval, second-1-int64(n)) != label }))
}

// next returns the second at which the interval begins that follows the one that holds a second.
func (c clocks) next(interval string, second int64) int64 {
	if interval == "hour" {
		for second += c.step(second); !c.showsNewHour(second); {
			second += c.step(second)
		}
		return second
	}
	label := c.label(interval, second)
	return second + 1 + int64(sort.Search(longest, func(n int) bool { return c.label(interval, second+1+int64(n)) != label }))
}

// intervals returns the intervals that a window touches, with what of them is outside of it.
func (c clocks) intervals(interval string, w window) (all []window) {
	if w.from >= w.until {
		return nil
	}
	for at := c.begin(interval, time.UnixMilli(w.from).Unix()); at*1000 < w.until; {
		next := c.next(interval, at)
		all = append(all, window{at * 1000, next * 1000})
		at = next
	}
	return all
}

// before returns the window to compare a window with: as many months before where it is a number of whole months, else
// as long.
func (c clocks) before(w window) window {
	second := w.from / 1000
	if months := c.wholeMonths(w); months > 0 {
		for range months {
			second = c.begin("month", second-1)
		}
		return window{second * 1000, w.from}
	}
	return window{w.from - (w.until - w.from), w.from}
}

// wholeMonths returns how many months a window consists of, 0 if there are others in it in part.
func (c clocks) wholeMonths(w window) int {
	months := c.intervals("month", w)
	if len(months) == 0 || months[0].from != w.from || months[len(months)-1].until != w.until {
		return 0
	}
	return len(months)
}

// text writes a time as RFC 3339, with the minutes of an offset that has seconds rounded down.
func (c clocks) text(ms int64) string {
	minutes := int(math.Floor(float64(c.offset(ms/1000)) / 60))
	return time.UnixMilli(ms).In(time.FixedZone("", minutes*60)).Format(time.RFC3339)
}
