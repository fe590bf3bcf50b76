package cells

import (
	"math/rand/v2"
	"testing"
	"time"
)

func ms(text string) int64 {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func TestBuckets(t *testing.T) {
	for _, row := range []struct {
		grain                 Grain
		at, start, next, ceil string
	}{
		{Hour, "2024-02-29T13:59:59.999Z", "2024-02-29T13:00:00Z", "2024-02-29T14:00:00Z", "2024-02-29T14:00:00Z"},
		{Hour, "1969-12-31T23:00:00Z", "1969-12-31T23:00:00Z", "1970-01-01T00:00:00Z", "1969-12-31T23:00:00Z"},
		{Hour, "1900-01-01T00:00:00.001Z", "1900-01-01T00:00:00Z", "1900-01-01T01:00:00Z", "1900-01-01T01:00:00Z"},
		{Day, "1969-12-31T00:00:00.001Z", "1969-12-31T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		{Day, "2024-02-28T23:59:59.999Z", "2024-02-28T00:00:00Z", "2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"},
		{Month, "2024-02-29T23:59:59.999Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z"},
		{Month, "1968-12-01T00:00:00Z", "1968-12-01T00:00:00Z", "1969-01-01T00:00:00Z", "1968-12-01T00:00:00Z"},
		{Month, "2261-12-31T23:59:59.999Z", "2261-12-01T00:00:00Z", "2262-01-01T00:00:00Z", "2262-01-01T00:00:00Z"},
	} {
		at := ms(row.at)
		if got := row.grain.Start(at); got != ms(row.start) {
			t.Errorf("the %s that holds %s starts at %s, want %s", row.grain, row.at, time.UnixMilli(got).UTC(), row.start)
		}
		if got := row.grain.Next(ms(row.start)); got != ms(row.next) {
			t.Errorf("after the %s of %s comes %s, want %s", row.grain, row.start, time.UnixMilli(got).UTC(), row.next)
		}
		if got := row.grain.Ceil(at); got != ms(row.ceil) {
			t.Errorf("the first %s from %s on starts at %s, want %s", row.grain, row.at, time.UnixMilli(got).UTC(), row.ceil)
		}
	}
}

// Any time lies in the bucket that starts where Start says, which is no longer than MaxLength.
func TestBucketsHoldTheirTimes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 10_000 {
		at := MinTime + r.Int64N(MaxTime-MinTime+1)
		for _, grain := range Grains {
			start := grain.Start(at)
			next := grain.Next(start)
			if at < start || at >= next || next-start > grain.MaxLength() || grain.Start(start) != start || grain.Ceil(start) != start {
				t.Fatalf("%d lies in the %s from %d to %d", at, grain, start, next)
			}
		}
		if hour := HourNumber(at); int64(hour)*MsPerHour != Hour.Start(at) {
			t.Fatalf("%d lies in hour %d", at, hour)
		}
	}
}

func TestTimesOfRecords(t *testing.T) {
	if MinTime != ms("1900-01-01T00:00:00Z") || MaxTime != ms("2261-12-31T23:59:59.999Z") {
		t.Errorf("records have times from %s to %s", time.UnixMilli(MinTime).UTC(), time.UnixMilli(MaxTime).UTC())
	}
}
