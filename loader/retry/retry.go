// Package retry repeats what a server can't do just now, after pauses that grow.
package retry

import (
	"context"
	"time"
)

// Backoff is the pause between two attempts, which doubles from one to the next up to a maximum.
type Backoff struct {
	First, Max time.Duration
	next       time.Duration
}

// Next returns the pause before the next attempt.
func (b *Backoff) Next() time.Duration {
	pause := max(b.next, b.First)
	b.next = min(2*pause, b.Max)
	return pause
}

// Reset begins with the first pause again.
func (b *Backoff) Reset() { b.next = 0 }

// Wait waits for a pause to pass, or returns the context's error.
func Wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Failure is an attempt that failed.
type Failure struct {
	Err     error
	Attempt int           // from 1
	Elapsed time.Duration // since the first attempt began
	Pause   time.Duration // before the next attempt
}

// Writer carries out steps with something that is opened for them and stays open until a step fails. The step is then
// repeated with a new one: opening recovers what the failure cut off. It is not safe for concurrent use.
type Writer[W interface{ Close() }] struct {
	Open    func(context.Context) (W, error)
	Backoff Backoff

	current W
	isOpen  bool
}

// Do carries out a step, which must do no harm when it is done twice. The context ends opening and pauses, but not a
// step that has begun. After each failure judge returns nil to try again, or else the error that Do returns.
func (w *Writer[W]) Do(ctx context.Context, step func(context.Context, W) error, judge func(Failure) error) error {
	backoff := w.Backoff
	for began, attempt := time.Now(), 1; ; attempt++ {
		err := w.attempt(ctx, step)
		if err == nil {
			return nil
		}
		w.Close()
		pause := backoff.Next()
		if err := judge(Failure{err, attempt, time.Since(began), pause}); err != nil {
			return err
		}
		if Wait(ctx, pause) != nil {
			return err
		}
	}
}

func (w *Writer[W]) attempt(ctx context.Context, step func(context.Context, W) error) (err error) {
	if !w.isOpen {
		if w.current, err = w.Open(ctx); err != nil {
			return err
		}
		w.isOpen = true
	}
	return step(context.WithoutCancel(ctx), w.current)
}

// IsOpen reports whether there is something open, which neither failed nor was closed.
func (w *Writer[W]) IsOpen() bool { return w.isOpen }

// Close closes what is open, if anything is.
func (w *Writer[W]) Close() {
	if w.isOpen {
		w.isOpen = false
		w.current.Close()
	}
}
