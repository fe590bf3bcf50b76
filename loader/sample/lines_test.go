package sample

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestTimesAreWrittenAsByTheStandardLibrary covers days that change back and
// forth, because the date is kept from one time to the next.
func TestTimesAreWrittenAsByTheStandardLibrary(t *testing.T) {
	s := source{*rand.NewPCG(1, 1)}
	l := newLines(t.Context(), nil)
	end := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli()
	for range 20_000 {
		near := int64(s.below(int(end)))
		for _, ms := range []int64{near, max(0, near-int64(s.below(millisPerDay))), near} {
			l.buffer = l.buffer[:0]
			l.time(ms)
			us := s.below(1000)
			at := time.UnixMilli(ms).UTC()
			if want := at.Format("2006-01-02T15:04:05.000Z"); string(l.buffer) != want {
				t.Fatalf("%d: %s, want %s", ms, l.buffer, want)
			}
			l.micros(us)
			at = at.Add(time.Duration(us) * time.Microsecond)
			if want := at.Format("2006-01-02T15:04:05.000000Z"); string(l.buffer) != want {
				t.Fatalf("%d and %d µs: %s, want %s", ms, us, l.buffer, want)
			}
		}
	}
}
