package calendar

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func zone(t testing.TB, name string) Zone {
	t.Helper()
	z, err := LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func instant(t testing.TB, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func TestIntervals(t *testing.T) {
	for _, row := range []struct {
		name, zone  string
		unit        Unit
		from, until string
		bounds      string
	}{
		{
			"an hour of 90 minutes, as clocks are set back by half of one", "Australia/Lord_Howe", Hour,
			"2026-04-04T14:10:00Z", "2026-04-04T16:00:00Z", "2026-04-05T01:00:00+11:00 2026-04-05T02:00:00+10:30 2026-04-05T03:00:00+10:30",
		},
		{
			"an hour of 30 minutes, as they are set forward", "Australia/Lord_Howe", Hour,
			"2026-10-03T15:10:00Z", "2026-10-03T16:00:00Z", "2026-10-04T01:00:00+10:30 2026-10-04T02:30:00+11:00 2026-10-04T03:00:00+11:00",
		},
		{
			"an hour that comes twice", "Europe/Berlin", Hour,
			"2026-10-25T00:10:00Z", "2026-10-25T02:00:00Z", "2026-10-25T02:00:00+02:00 2026-10-25T02:00:00+01:00 2026-10-25T03:00:00+01:00",
		},
		{
			"an hour that is skipped", "Europe/Berlin", Hour,
			"2026-03-29T00:10:00Z", "2026-03-29T02:00:00Z", "2026-03-29T01:00:00+01:00 2026-03-29T03:00:00+02:00 2026-03-29T04:00:00+02:00",
		},
		{
			"hours of a zone of 45 minutes", "Asia/Kathmandu", Hour,
			"2026-01-01T00:00:00Z", "2026-01-01T00:30:00Z", "2026-01-01T05:00:00+05:45 2026-01-01T06:00:00+05:45 2026-01-01T07:00:00+05:45",
		},
		{
			"days of 23 and 25 hours", "Europe/Berlin", Day,
			"2026-03-28T23:00:00Z", "2026-03-30T00:00:00Z", "2026-03-29T00:00:00+01:00 2026-03-30T00:00:00+02:00 2026-03-31T00:00:00+02:00",
		},
		{
			"a date that was skipped", "Pacific/Apia", Day,
			"2011-12-29T20:00:00Z", "2011-12-30T12:00:00Z", "2011-12-29T00:00:00-10:00 2011-12-31T00:00:00+14:00 2012-01-01T00:00:00+14:00",
		},
		{
			"a midnight that was skipped", "America/Sao_Paulo", Day,
			"2018-11-03T12:00:00Z", "2018-11-04T12:00:00Z", "2018-11-03T00:00:00-03:00 2018-11-04T01:00:00-02:00 2018-11-05T00:00:00-02:00",
		},
		{
			"a midnight that came twice", "America/Sao_Paulo", Day,
			"2018-02-17T12:00:00Z", "2018-02-18T12:00:00Z", "2018-02-17T00:00:00-02:00 2018-02-18T00:00:00-03:00 2018-02-19T00:00:00-03:00",
		},
		{
			"a date that came again for an hour", "America/St_Johns", Day,
			"2006-10-28T12:00:00Z", "2006-10-29T12:00:00Z", "2006-10-28T00:00:00-02:30 2006-10-29T00:00:00-02:30 2006-10-30T00:00:00-03:30",
		},
		{
			"clocks that are set back for Ramadan", "Africa/Casablanca", Month,
			"2026-02-01T12:00:00Z", "2026-03-15T00:00:00Z", "2026-02-01T00:00:00+01:00 2026-03-01T00:00:00Z 2026-04-01T00:00:00+01:00",
		},
		{
			"weeks begin on Monday, across the year", "UTC", Week,
			"2026-12-31T00:00:00Z", "2027-01-04T00:00:00.001Z", "2026-12-28T00:00:00Z 2027-01-04T00:00:00Z 2027-01-11T00:00:00Z",
		},
		{"a Sunday is its week's last day", "UTC", Week, "2026-01-04T23:59:59Z", "2026-01-05T00:00:00Z", "2025-12-29T00:00:00Z 2026-01-05T00:00:00Z"},
		{"quarters", "Asia/Tokyo", Quarter, "2026-03-31T15:00:00Z", "2026-06-30T15:00:00Z", "2026-04-01T00:00:00+09:00 2026-07-01T00:00:00+09:00"},
		{
			"years", "America/New_York", Year, "2026-01-01T04:59:59Z", "2026-01-01T05:00:01Z",
			"2025-01-01T00:00:00-05:00 2026-01-01T00:00:00-05:00 2027-01-01T00:00:00-05:00",
		},
		{"an offset with seconds", "Europe/Amsterdam", Day, "1920-01-01T12:00:00Z", "1920-01-01T12:00:01Z", "1919-12-31T23:59:28+00:19 1920-01-01T23:59:28+00:19"},
		{"an empty window", "UTC", Day, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			z := zone(t, row.zone)
			var texts []string
			for _, bound := range z.Bounds(row.unit, instant(t, row.from), instant(t, row.until), 100) {
				texts = append(texts, z.Text(bound))
			}
			if got := strings.Join(texts, " "); got != row.bounds {
				t.Errorf("got  %s\nwant %s", got, row.bounds)
			}
		})
	}
}

// Bounds stand where the label of the zone's clocks changes, which a walk through all minutes of a window shows, and
// nowhere else.
func TestIntervalsAreThoseOfTheClocks(t *testing.T) {
	names := []string{
		"Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo", "Africa/Casablanca", "Europe/Berlin",
		"America/St_Johns", "Pacific/Chatham", "Asia/Pyongyang", "Antarctica/Troll", "America/Caracas", "Pacific/Kwajalein",
	}
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 1))
		z, unit := zone(t, names[r.IntN(len(names))]), Units[r.IntN(len(Units)-2)]
		from := instant(t, "1990-01-01T00:00:00Z") + r.Int64N(60*365*24*3600)*1000
		until := from + 1 + r.Int64N(60*24*3600*1000)
		got := z.Bounds(unit, from, until, 10_000)
		if got[0] > from || got[1] <= from || got[len(got)-1] < until || got[len(got)-2] >= until || !slices.IsSorted(got) {
			t.Fatalf("seed %d: %s of %s from %d until %d: %d", seed, unit, z, from, until, got)
		}
		if want := walk(z, unit, got[0], got[len(got)-1]); !slices.Equal(got, want) {
			t.Errorf("seed %d: %s of %s:\ngot  %s\nwant %s", seed, unit, z, texts(z, got), texts(z, want))
		}
	}
}

func texts(z Zone, all []int64) (shown []string) {
	for _, ms := range all {
		shown = append(shown, z.Text(ms))
	}
	return shown
}

// walk returns the bounds of the intervals between two, found minute by minute.
func walk(z Zone, unit Unit, first, last int64) []int64 {
	bounds := []int64{first}
	label := func(ms int64) (date, hour int64, full bool) {
		t := time.UnixMilli(ms).In(z.location)
		y, m, d := t.Date()
		hour = time.Date(y, m, d, t.Hour(), 0, 0, 0, time.UTC).Unix()
		if unit == Week {
			d -= (int(t.Weekday()) + 6) % 7
		}
		if unit == Month {
			d = 1
		}
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix(), hour, t.Minute() == 0
	}
	greatest, hour, _ := label(first)
	for ms := first + 60_000; ms <= last; ms += 60_000 {
		date, nowHour, full := label(ms)
		if unit == Hour && (full || nowHour != hour) || unit != Hour && date > greatest {
			bounds = append(bounds, ms)
		}
		greatest, hour = max(greatest, date), nowHour
	}
	return bounds
}

func TestBoundsAreLimited(t *testing.T) {
	if got := UTC.Bounds(Hour, 0, 1<<40, 5); len(got) != 6 {
		t.Errorf("%d bounds, want those of 5 intervals", len(got))
	}
}

func TestUnknownZones(t *testing.T) {
	for _, name := range []string{"", "Local", "Europe/Atlantis", "../etc/passwd", "+01:00", "/etc/localtime"} {
		if z, err := LoadZone(name); err == nil {
			t.Errorf("%q is zone %v", name, z)
		}
	}
}

// The standard library's bounds of zones end a leap year a day early from 2038 on, at which nothing may hang.
func TestLeapYearsAfter2037(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Casablanca", "America/New_York"} {
		z := zone(t, name)
		for year := 2037; year < 2262; year++ {
			end := time.Date(year, 12, 31, 12, 0, 0, 0, time.UTC).UnixMilli()
			for _, unit := range Units {
				if bounds := z.Bounds(unit, end-36*3600_000, end+36*3600_000, 1000); !slices.IsSorted(bounds) || len(bounds) > 75 {
					t.Fatalf("%s of %s at the end of %d: %s", unit, name, year, texts(z, bounds))
				}
			}
		}
	}
}
