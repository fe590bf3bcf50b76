package service

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/schema/cells"
)

// The part of a window outside of the times that records may have holds nothing.
const (
	recordsFrom  = cells.MinTime
	recordsUntil = cells.MaxTime + 1
)

// window reads from and to, both inclusive, into the half-open from <= t < until, in milliseconds since 1970 UTC and
// within the years that records have. It is empty, from == until, where all of it is outside of these years.
func (p *parameters) window() (from, until int64) {
	first, exact, ok := p.instant(paramFrom)
	if !exact {
		first++
	}
	last, _, lastOK := p.instant(paramTo)
	if !ok || !lastOK {
		return 0, 0
	}
	if first > last {
		p.wrong(paramFrom, "from is after to: no millisecond lies between them")
	}
	return withinRecords(first), withinRecords(last + 1)
}

func withinRecords(ms int64) int64 { return min(max(ms, recordsFrom), recordsUntil) }

// instant reads a required time: its millisecond, rounded down, and whether there was nothing to round.
func (p *parameters) instant(name string) (ms int64, exact, ok bool) {
	text := p.values[name]
	if text == "" {
		if !slices.ContainsFunc(p.mistakes, func(m mistake) bool { return m.Path == name }) { // else its value was wrong
			p.wrong(name, "%s is missing: give an RFC 3339 date-time such as 2024-01-31T23:59:59.999Z", name)
		}
		return 0, false, false
	}
	ms, exact, err := record.ParseTime(text)
	if err != nil {
		ms, exact, ok = beyondRecords(text)
		if !ok {
			p.wrong(name, "%s %v%s", name, err, zoneHint(text))
		}
		return ms, exact, ok
	}
	return ms, exact, true
}

// beyondRecords reads a date-time outside of the years of records, 0001 to 9999. It is well formed when the same time
// of a year with the same calendar is, and what is well formed time.Parse reads rightly.
func beyondRecords(text string) (ms int64, exact, ok bool) {
	const digits = len("2000")
	if len(text) < digits {
		return 0, false, false
	}
	year, err := strconv.ParseUint(text[:digits], 10, 64)
	if err != nil || year == 0 {
		return 0, false, false
	}
	sameCalendar := "2001"
	if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		sameCalendar = "2000"
	}
	if _, exact, err = record.ParseTime(sameCalendar + text[digits:]); err != nil {
		return 0, false, false
	}
	t, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	return t.UnixMilli(), exact, err == nil
}

// zoneHint explains the commonest way to spoil a good time: an offset's + that was not escaped arrives as a space.
func zoneHint(text string) string {
	const offset = len(" 02:00")
	at := len(text) - offset
	if at < 0 || text[at] != ' ' || !isTime(text[:at]+"+"+text[at+1:]) {
		return ""
	}
	return "; a + in a URL means a space: write +02:00 as %2B02:00"
}

func isTime(text string) bool {
	_, _, err := record.ParseTime(text)
	_, _, beyond := beyondRecords(text)
	return err == nil || beyond
}
