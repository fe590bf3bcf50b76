package loadtest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"
)

// Search is the record of a search for the highest rate at which the service keeps a bound.
type Search struct {
	Bound float64 `json:"boundP99Ms"`
	Steps []Step  `json:"steps"`
	Rate  int     `json:"rate"` // the highest that was held; 0: none was
}

// Step is one rate that was tried.
type Step struct {
	Rate              int     `json:"rate"`
	AnsweredPerSecond float64 `json:"answeredPerSecond"`
	P50               float64 `json:"p50Ms"`
	P99               float64 `json:"p99Ms"`
	Held              bool    `json:"held"`
	Why               string  `json:"why,omitempty"` // it was not held
}

// verdict returns "held", or why the rate was not.
func (s Step) verdict() string { return cmp.Or(s.Why, "held") }

// SearchOptions configure a search.
type SearchOptions struct {
	Bound   time.Duration // of the 99th percentile
	Start   int           // the first rate, in requests a second
	Step    time.Duration // how long a rate is tried
	Confirm time.Duration // how long the rate that was found must be held
	Done    func(Step)    // called after each step
}

const (
	maxRate = 1_000_000 // more than any machine can send
	// enough is the factor between the lowest rate that was not held and the highest that was at which the search ends.
	enough = 1.05
	// confirmations is how many rates are tried for the whole time, each a tenth below the one before.
	confirmations = 4
)

// FindRate searches for the highest rate, in requests a second, at which the 99th percentile stays under a bound and
// nothing is shed or fails. It doubles the rate until the bound is exceeded, bisects until the distance is small, and
// runs the rate that it found for longer. It returns that last run, or nil if no rate was held or the context ended.
func (t *Test) FindRate(ctx context.Context, o SearchOptions) (*Search, *Run) {
	return o.find(ctx, t.Run)
}

// find searches with the function that runs a rate.
func (o SearchOptions) find(ctx context.Context, run func(context.Context, int, time.Duration) *Run) (*Search, *Run) {
	s := &Search{Bound: milliseconds(o.Bound)}
	try := func(rate int, duration time.Duration) *Run {
		r := run(ctx, rate, duration)
		if ctx.Err() != nil { // the run was cut short
			return nil
		}
		step := s.judge(r)
		s.Steps = append(s.Steps, step)
		o.Done(step)
		if !step.Held {
			return nil
		}
		return r
	}
	rate := highest(ctx, o.Start, func(rate int) bool { return try(rate, o.Step) != nil })
	for range confirmations {
		if ctx.Err() != nil || rate == 0 {
			break
		}
		if r := try(rate, o.Confirm); r != nil {
			s.Rate = rate
			return s, r
		}
		rate = rate * 9 / 10
	}
	return s, nil
}

// highest returns approximately the highest rate that is held, 0 if none is.
func highest(ctx context.Context, start int, held func(rate int) bool) int {
	low, high := 0, 0
	for rate := start; rate > 0 && ctx.Err() == nil; rate = next(low, high) {
		if held(rate) {
			low = rate
		} else {
			high = rate
		}
	}
	return low
}

// next returns the rate to try after low was held and high was not, each of which is 0 if there is no such rate yet. It
// returns 0 at the end of the search.
func next(low, high int) int {
	switch {
	case low == 0:
		return high / 2
	case high == 0 && low < maxRate:
		return 2 * low
	case high-low <= 1 || float64(high)/float64(low) <= enough:
		return 0
	}
	middle := int(math.Round(math.Sqrt(float64(low) * float64(high))))
	return min(max(middle, low+1), high-1)
}

// mayFail is the share of requests that may not be answered with figures at a rate that counts as held.
const mayFail = 0.001

// judge returns the step of a run, which says whether its rate was held.
func (s *Search) judge(r *Run) Step {
	step := Step{Rate: r.Rate, AnsweredPerSecond: r.AnsweredPerSecond, P50: r.Answered.P50, P99: r.Answered.P99}
	unanswered := float64(r.Sent-r.Answered.Count) / max(float64(r.Sent), 1)
	switch {
	case r.Answered.Count == 0:
		step.Why = "nothing was answered"
	case unanswered > mayFail:
		step.Why = fmt.Sprintf("%.1f %% without figures (%s)", 100*unanswered, statuses(r))
	case r.Answered.P99 > s.Bound:
		step.Why = "p99 above the bound"
	case r.Late > s.Bound:
		step.Why = "this machine can't send that fast"
	default:
		step.Held = true
	}
	return step
}
