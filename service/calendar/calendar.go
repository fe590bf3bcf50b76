// Package calendar divides time into the hours, days, weeks, months, quarters and years of a time zone.
//
// A day begins with the first instant that the zone's clocks show as that date, and so do weeks, months, quarters and
// years: midnight may be skipped, or come twice. A date that a zone skipped has no instant, and no day. An hour begins
// where the clocks show a full hour, again when they are set back to one, and where they are set, forward or back, out
// of the hour before.
package calendar

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // so that every installation knows the same zones
)

// Unit is a length of intervals, by its name in requests.
type Unit string

// The units, shortest first.
const (
	Hour    Unit = "hour"
	Day     Unit = "day"
	Week    Unit = "week" // of ISO 8601: from Monday
	Month   Unit = "month"
	Quarter Unit = "quarter"
	Year    Unit = "year"
)

// Units are all units, shortest first.
var Units = []Unit{Hour, Day, Week, Month, Quarter, Year}

// Zone is a time zone. Two of the same name are equal.
type Zone struct {
	name     string
	location *time.Location
}

// UTC is the zone of Coordinated Universal Time.
var UTC = Zone{"UTC", time.UTC}

// zones are those that were loaded: reading one takes longer than dividing a window.
var zones sync.Map

// LoadZone returns a zone by its name in the IANA database, as in "Europe/Berlin".
func LoadZone(name string) (Zone, error) {
	if name == UTC.name {
		return UTC, nil
	}
	if zone, ok := zones.Load(name); ok {
		return zone.(Zone), nil
	}
	location, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" { // the last two are names of Go's, not of the database
		return Zone{}, fmt.Errorf("%q is no time zone of the IANA database: give a name such as Europe/Berlin", name)
	}
	zone, _ := zones.LoadOrStore(name, Zone{name, location})
	return zone.(Zone), nil
}

// String returns the zone's name.
func (z Zone) String() string { return z.name }

// Text returns a time, in milliseconds since 1970 UTC, as RFC 3339 with the zone's offset. Offsets are written in
// minutes; where the zone's had seconds, as before the standard times of the 20th century, the time is written with the
// minutes below.
func (z Zone) Text(ms int64) string {
	t := time.UnixMilli(ms).In(z.location)
	if _, offset := t.Zone(); offset%60 != 0 {
		t = t.In(time.FixedZone("", floor(int64(offset), 60)))
	}
	return t.Format(time.RFC3339)
}

// floor returns the greatest multiple of a unit that is not above n.
func floor(n, unit int64) int {
	return int(n - ((n%unit)+unit)%unit)
}

// WholeMonths returns how many whole months a window is, from <= t < until in milliseconds since 1970 UTC; 0 if it is
// no number of whole months.
func (z Zone) WholeMonths(from, until int64) int {
	const most = 12 * 400
	bounds := z.Bounds(Month, from, until, most)
	if len(bounds) < 2 || bounds[0] != from || bounds[len(bounds)-1] != until {
		return 0
	}
	return len(bounds) - 1
}

// MonthsBefore returns the start of the month so many months before the one that starts at a time.
func (z Zone) MonthsBefore(start int64, months int) int64 {
	return z.first(date(Month, time.UnixMilli(start).In(z.location), -months)).UnixMilli()
}
