package loadtest

import (
	"context"
	"testing"
	"time"
)

// capacity returns the runs of a service that holds rates up to a limit.
func capacity(limit int) func(context.Context, int, time.Duration) *Run {
	return func(_ context.Context, rate int, duration time.Duration) *Run {
		sent := uint64(rate) * uint64(duration/time.Second)
		r := &Run{Rate: rate, Sent: sent, Answered: Latency{Count: sent, P50: 2, P99: 20}}
		if rate > limit {
			r.Answered.P99 = 2000
		}
		return r
	}
}

func TestTheHighestRateIsFound(t *testing.T) {
	for _, c := range []struct {
		reason      string
		limit       int
		start       int
		least, most int // that may be found
		steps       int // at most
	}{
		{"far above the first rate", 1777, 50, 1690, 1777, 14},
		{"just at the first rate", 50, 50, 48, 50, 10},
		{"below the first rate", 7, 50, 7, 7, 10},
		{"one a second is all that it holds", 1, 64, 1, 1, 10},
		{"nothing is held", 0, 64, 0, 0, 10},
	} {
		steps := 0
		o := SearchOptions{Bound: 100 * time.Millisecond, Start: c.start, Step: time.Second, Confirm: time.Minute, Done: func(Step) { steps++ }}
		s, run := o.find(t.Context(), capacity(c.limit))
		if s.Rate < c.least || s.Rate > c.most || steps > c.steps || steps != len(s.Steps) {
			t.Errorf("%s: found %d in %d steps, want %d to %d in at most %d: %+v", c.reason, s.Rate, steps, c.least, c.most, c.steps, s.Steps)
		}
		if (run != nil) != (c.limit > 0) || run != nil && (run.Rate != s.Rate || run.Sent != uint64(60*s.Rate)) {
			t.Errorf("%s: the run at the end is %+v, want one of a minute at the rate that was found", c.reason, run)
		}
	}
}

// A rate that is held only for a moment is not the result.
func TestARateMustBeHeldForTheWholeTime(t *testing.T) {
	short, long := capacity(400), capacity(300)
	o := SearchOptions{Bound: 100 * time.Millisecond, Start: 100, Step: time.Second, Confirm: time.Minute, Done: func(Step) {}}
	s, run := o.find(t.Context(), func(ctx context.Context, rate int, duration time.Duration) *Run {
		if duration == o.Confirm {
			return long(ctx, rate, duration)
		}
		return short(ctx, rate, duration)
	})
	if s.Rate < 270 || s.Rate > 300 || run == nil {
		t.Errorf("found %d, want a little below 300: %+v", s.Rate, s.Steps)
	}
}

func TestWhatCountsAsHeld(t *testing.T) {
	s := &Search{Bound: 100}
	for _, c := range []struct {
		reason string
		run    Run
		held   bool
	}{
		{"fast and complete", Run{Sent: 1000, Answered: Latency{Count: 1000, P99: 99}}, true},
		{"one in a thousand was shed", Run{Sent: 1000, Answered: Latency{Count: 999, P99: 99}}, true},
		{"two in a thousand were shed", Run{Sent: 1000, Answered: Latency{Count: 998, P99: 99}}, false},
		{"slow", Run{Sent: 1000, Answered: Latency{Count: 1000, P99: 101}}, false},
		{"fast because it was sent late", Run{Sent: 1000, Late: 101, Answered: Latency{Count: 1000, P99: 10}}, false},
		{"nothing was sent", Run{}, false},
	} {
		if step := s.judge(&c.run); step.Held != c.held || step.Held != (step.Why == "") {
			t.Errorf("%s: %+v, want held %v", c.reason, step, c.held)
		}
	}
}

func TestAnInterruptedSearchEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	runs := 0
	o := SearchOptions{Bound: 100 * time.Millisecond, Start: 1, Step: time.Second, Confirm: time.Minute, Done: func(Step) {}}
	s, run := o.find(ctx, func(ctx context.Context, rate int, duration time.Duration) *Run {
		if runs++; runs == 3 {
			cancel()
		}
		return capacity(1000)(ctx, rate, duration)
	})
	if runs != 3 || run != nil || len(s.Steps) != 2 || s.Rate != 0 {
		t.Errorf("%d runs, %+v, want 3 of which the last does not count", runs, s)
	}
}
