package retry_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/orgstats/orgstats/loader/retry"
)

func TestPausesDoubleUpToTheMaximum(t *testing.T) {
	b := retry.Backoff{First: time.Second, Max: 5 * time.Second}
	for round, want := range [][]time.Duration{
		{time.Second, 2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second}, {time.Second, 2 * time.Second},
	} {
		for i, pause := range want {
			if got := b.Next(); got != pause {
				t.Errorf("round %d: pause %d is %s, want %s", round, i, got, pause)
			}
		}
		b.Reset()
	}
}

// opened counts what is open.
type opened struct{ count *int }

func (o *opened) Close() { *o.count-- }

var errAway = errors.New("away")

// newWriter returns a writer whose first attempts to open fail, and the numbers of those that are open and were opened.
func newWriter(failures int) (w *retry.Writer[*opened], open, times *int) {
	open, times = new(int), new(int)
	return &retry.Writer[*opened]{
		Backoff: retry.Backoff{First: time.Millisecond, Max: 2 * time.Millisecond},
		Open: func(context.Context) (*opened, error) {
			if *times++; *times <= failures {
				return nil, errAway
			}
			*open++
			return &opened{open}, nil
		},
	}, open, times
}

func again(retry.Failure) error { return nil }

func TestAStepIsRepeatedWithANewWriter(t *testing.T) {
	w, open, times := newWriter(2)
	var failed []int
	calls := 0
	err := w.Do(t.Context(), func(context.Context, *opened) error {
		if calls++; calls < 3 {
			return errAway
		}
		return nil
	}, func(f retry.Failure) error {
		if !errors.Is(f.Err, errAway) || f.Elapsed < 0 || f.Pause < time.Millisecond {
			t.Errorf("the failure is %+v", f)
		}
		failed = append(failed, f.Attempt)
		return nil
	})
	if err != nil || calls != 3 || *times != 5 || *open != 1 || !slices.Equal(failed, []int{1, 2, 3, 4}) {
		t.Errorf("%v after %d calls with %d writers, of which %d are open; failed: %v", err, calls, *times, *open, failed)
	}
	if err := w.Do(t.Context(), func(context.Context, *opened) error { return nil }, again); err != nil || *times != 5 {
		t.Errorf("%v, and the writer was opened %d times", err, *times)
	}
	w.Close()
	w.Close()
	if *open != 0 || w.IsOpen() {
		t.Errorf("%d writers are open", *open)
	}
}

func TestTheErrorOfTheJudgeIsReturned(t *testing.T) {
	w, open, _ := newWriter(0)
	final := errors.New("final")
	err := w.Do(t.Context(), func(context.Context, *opened) error { return errAway }, func(retry.Failure) error { return final })
	if !errors.Is(err, final) || *open != 0 {
		t.Errorf("%v, and %d writers are open", err, *open)
	}
}

func TestTheContextEndsPausesAndNoStep(t *testing.T) {
	w, _, _ := newWriter(0)
	w.Backoff = retry.Backoff{First: time.Hour, Max: time.Hour}
	ctx, cancel := context.WithCancel(t.Context())
	err := w.Do(ctx, func(step context.Context, _ *opened) error {
		cancel()
		if step.Err() != nil {
			t.Error("the step is cut off")
		}
		return errAway
	}, again)
	if !errors.Is(err, errAway) {
		t.Errorf("%v, want the step's error", err)
	}
}
