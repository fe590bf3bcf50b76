package record

import (
	"errors"
	"strings"

	"github.com/orgstats/orgstats/schema/cells"
)

// Reasons for which ParseTime refuses a text, each a predicate about it.
var (
	errTimeShape = errors.New("is not an RFC 3339 date-time with seconds and a zone, " +
		"such as 2024-01-31T23:59:59.999Z")
	errTimeDay   = errors.New("names a day that the calendar does not have")
	errTimeClock = errors.New("names an hour beyond 23, or a minute or second beyond 59")
	errTimeLeap  = errors.New("names a leap second, which is not taken: give second 59 or the next minute")
	errTimeRange = errors.New("is not in the years 1900 to 2261 in UTC")
)

const (
	dateTimeShape = "0000-00-00T00:00:00"
	offsetShape   = "00:00"

	minutesOfDay = 24 * 60
)

// ParseTime reads an RFC 3339 date-time with seconds and a zone, whose T and Z may be lower case (section 5.6), into
// milliseconds since 1970 in UTC, rounded down. Exact says that there was nothing to round. Years go from 1900 to 2261
// in UTC. The error's text is a predicate, to stand after the text or the name of its field: "is not an
// RFC 3339 date-time …".
func ParseTime(s string) (ms int64, exact bool, err error) {
	if !hasShape(s, dateTimeShape) && (len(s) < len(dateTimeShape) || s[10] != 't' || !hasShape(s[:10]+"T"+s[11:], dateTimeShape)) {
		return 0, false, errTimeShape
	}
	year, month, day := number(s[0:4]), number(s[5:7]), number(s[8:10])
	hour, minute, second := number(s[11:13]), number(s[14:16]), number(s[17:19])
	milliseconds, exact, zone, ok := cutFraction(s[19:])
	if !ok {
		return 0, false, errTimeShape
	}
	offset, err := offsetMinutes(zone)
	first := firstOfMonth(year, month)
	switch {
	case err != nil:
		return 0, false, err
	case month < 1 || month > 12 || day < 1 || day > firstOfMonth(year, month+1)-first:
		return 0, false, errTimeDay
	case second == 60 && hour <= 23 && minute <= 59 && (hour*60+minute-offset+2*minutesOfDay)%minutesOfDay == minutesOfDay-1:
		return 0, false, errTimeLeap // they end a day in UTC
	case hour > 23 || minute > 59 || second > 59:
		return 0, false, errTimeClock
	}
	ms = ((((first+day-1)*24+hour)*60+minute-offset)*60+second)*1000 + milliseconds
	if ms < cells.MinTime || ms > cells.MaxTime {
		return 0, false, errTimeRange
	}
	return ms, exact, nil
}

// hasShape reports whether s begins with a shape, in which 0 stands for any digit and all else for itself.
func hasShape(s, shape string) bool {
	if len(s) < len(shape) {
		return false
	}
	for i := range len(shape) {
		if s[i] != shape[i] && (shape[i] != '0' || !isDigit(s[i])) {
			return false
		}
	}
	return true
}

// number returns the value of a few digits.
func number(digits string) (n int64) {
	for i := range len(digits) {
		n = n*10 + int64(digits[i]-'0')
	}
	return n
}

// cutFraction splits off the digits of a second's fraction, if there are any, and reports whether milliseconds
// hold them all.
func cutFraction(s string) (milliseconds int64, exact bool, rest string, ok bool) {
	if !strings.HasPrefix(s, ".") {
		return 0, true, s, true
	}
	end, unit := 1, int64(100)
	exact = true
	for ; end < len(s) && isDigit(s[end]); end++ {
		digit := int64(s[end] - '0')
		milliseconds += digit * unit
		exact = exact && (unit > 0 || digit == 0)
		unit /= 10
	}
	return milliseconds, exact, s[end:], end > 1
}

// offsetMinutes reads a zone, Z, z or such as +05:45, in minutes east of UTC.
func offsetMinutes(zone string) (int64, error) {
	if zone == "Z" || zone == "z" {
		return 0, nil
	}
	if len(zone) != 1+len(offsetShape) || zone[0] != '+' && zone[0] != '-' || !hasShape(zone[1:], offsetShape) {
		return 0, errTimeShape
	}
	hours, minutes := number(zone[1:3]), number(zone[4:6])
	if hours > 23 || minutes > 59 {
		return 0, errTimeClock
	}
	if zone[0] == '-' {
		return -(hours*60 + minutes), nil
	}
	return hours*60 + minutes, nil
}

// firstOfMonth returns the first day of a month, 1 to 13, in days since 1970 in the Gregorian calendar. Years that
// begin in March have the leap day at their end, so that the days before a month depend on the month alone. The year 0
// may come out a day wrong, which is still far out of ParseTime's range. It costs half of what time.Date does.
func firstOfMonth(year, month int64) int64 {
	const daysTo1970 = 719_468 // from 0000-03-01
	if month < 3 {
		year, month = year-1, month+12
	}
	leapDays := year/4 - year/100 + year/400
	return 365*year + leapDays + (153*(month-3)+2)/5 - daysTo1970
}
