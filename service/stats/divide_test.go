package stats

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
)

func at(text string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.000", text)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func hourNumber(text string) int32 { return cells.HourNumber(at(text)) }

func TestDivide(t *testing.T) {
	const newYear, nextYear = "2024-01-01T00:00:00.000", "2025-01-01T00:00:00.000"
	for _, c := range []struct {
		reason      string
		from, until string
		stale       []int32
		want        string
	}{
		{"a year is twelve months", newYear, nextYear, nil, `
month buckets:
  2024-01-01T00:00:00.000Z to 2024-12-31T23:59:59.999Z
`},
		{"ragged ends are what is left beside months, days and hours", "2024-01-30T22:59:00.000", "2024-03-02T01:00:00.001", nil, `
month buckets:
  2024-02-01T00:00:00.000Z to 2024-02-29T23:59:59.999Z
day buckets:
  2024-01-31T00:00:00.000Z to 2024-01-31T23:59:59.999Z
  2024-03-01T00:00:00.000Z to 2024-03-01T23:59:59.999Z
hour buckets:
  2024-01-30T23:00:00.000Z to 2024-01-30T23:59:59.999Z
  2024-03-02T00:00:00.000Z to 2024-03-02T00:59:59.999Z
the rest:
  2024-01-30T22:59:00.000Z to 2024-01-30T22:59:59.999Z
  2024-03-02T01:00:00.000Z to 2024-03-02T01:00:00.000Z
`},
		{"a day that begins at a quarter to an hour in UTC is 23 hours and two ends", "2024-05-01T18:15:00.000", "2024-05-02T18:15:00.000", nil, `
hour buckets:
  2024-05-01T19:00:00.000Z to 2024-05-02T17:59:59.999Z
the rest:
  2024-05-01T18:15:00.000Z to 2024-05-01T18:59:59.999Z
  2024-05-02T18:00:00.000Z to 2024-05-02T18:14:59.999Z
`},
		{"a stale hour is read from the messages, and its day and month in smaller parts", "2024-02-01T00:00:00.000", "2024-03-01T00:00:00.000", []int32{hourNumber("2024-02-10T05:00:00.000")}, `
day buckets:
  2024-02-01T00:00:00.000Z to 2024-02-09T23:59:59.999Z
  2024-02-11T00:00:00.000Z to 2024-02-29T23:59:59.999Z
hour buckets:
  2024-02-10T00:00:00.000Z to 2024-02-10T04:59:59.999Z
  2024-02-10T06:00:00.000Z to 2024-02-10T23:59:59.999Z
the rest:
  2024-02-10T05:00:00.000Z to 2024-02-10T05:59:59.999Z
`},
		{"stale hours beside the window do not matter", newYear, nextYear, []int32{hourNumber(newYear) - 1, hourNumber(nextYear)}, `
month buckets:
  2024-01-01T00:00:00.000Z to 2024-12-31T23:59:59.999Z
`},
		{"a window before 1970 has buckets, too", "1969-12-31T22:30:00.000", "1970-01-01T01:00:00.000", nil, `
hour buckets:
  1969-12-31T23:00:00.000Z to 1970-01-01T00:59:59.999Z
the rest:
  1969-12-31T22:30:00.000Z to 1969-12-31T22:59:59.999Z
`},
		{"one millisecond is a message's", "2024-01-01T12:00:00.000", "2024-01-01T12:00:00.001", nil, `
the rest:
  2024-01-01T12:00:00.000Z to 2024-01-01T12:00:00.000Z
`},
		{"an empty window holds nothing", newYear, newYear, nil, `
`},
	} {
		d := divide([]Interval{{at(c.from), at(c.until)}}, messageRecords.grains, (&state{stale: c.stale}).anyStale)
		if got := "\n" + inWords(d); got != c.want {
			t.Errorf("%s: got %swant %s", c.reason, got, c.want)
		}
	}
}

func inWords(d division) string {
	var text strings.Builder
	list := func(title string, intervals []Interval) {
		if len(intervals) > 0 {
			fmt.Fprintf(&text, "%s:\n", title)
		}
		for _, i := range intervals {
			fmt.Fprintf(&text, "  %s to %s\n", Instant(i.From), Instant(i.Until-1))
		}
	}
	for _, grain := range messageRecords.grains {
		list(string(grain)+" buckets", intervalsOf(d.pieces, grain))
	}
	list("the rest", d.rest)
	return text.String()
}

// Whatever the window and whatever is stale: the parts of a division cover the window, none of them twice, and no stale
// hour is taken from a bucket.
func TestDivisionsCoverTheWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		window := randomWindow(r)
		s := &state{stale: randomStale(r, window)}
		checkDivision(t, window, divide([]Interval{window}, messageRecords.grains, s.anyStale), s)
		if t.Failed() {
			t.Fatalf("%+v, stale %v", window, s.stale)
		}
	}
}

// randomWindow returns any interval of some years, often one that begins or ends with a bucket.
func randomWindow(r *rand.Rand) Interval {
	edge := func() int64 {
		ms := at("1969-06-01T00:00:00.000") + r.Int64N(2*365*cells.MsPerDay)
		if n := r.IntN(5); n < len(cells.Grains) {
			ms = cells.Grains[n].Ceil(ms)
		}
		return ms
	}
	a, b := edge(), edge()
	return Interval{min(a, b), max(a, b)}
}

func randomStale(r *rand.Rand, window Interval) (stale []int32) {
	for range r.IntN(12) {
		ms := window.From - cells.MsPerDay + r.Int64N(window.Until-window.From+2*cells.MsPerDay)
		stale = append(stale, cells.HourNumber(ms))
	}
	slices.Sort(stale)
	return slices.Compact(stale)
}

func checkDivision(t *testing.T, window Interval, d division, s *state) {
	t.Helper()
	all := slices.Clone(d.rest)
	for _, p := range d.pieces {
		all = append(all, p.interval())
		if p.grain.Ceil(p.start) != p.start || s.anyStale(p.interval()) {
			t.Errorf("%v is no whole bucket, or holds a stale hour", p)
		}
	}
	slices.SortFunc(all, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	end := window.From
	for _, interval := range all {
		if interval.From != end || interval.Until <= interval.From {
			t.Errorf("%v does not begin where the one before ends, or is empty", interval)
		}
		end = interval.Until
	}
	if end != window.Until {
		t.Errorf("the division ends at %s", Instant(end))
	}
}
