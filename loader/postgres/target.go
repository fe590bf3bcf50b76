package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/loader/retry"
)

// target is the ClickHouse that is written to.
type target struct {
	*Options
	connected bool // a step succeeded
	writer    retry.Writer[*openTarget]
}

// openTarget is what writes while ClickHouse works: the claim to write is held.
type openTarget struct {
	*replica.Writer
	store *store
}

const (
	firstPause = 250 * time.Millisecond
	maxPause   = 15 * time.Second
)

// do carries out a step, again and again while ClickHouse can't. The step must do no harm when it is done twice. It is
// not cut off by the context once it has begun.
func (t *target) do(ctx context.Context, step func(ctx context.Context, w *replica.Writer, s *store) error) error {
	t.writer.Open, t.writer.Backoff = t.open, retry.Backoff{First: firstPause, Max: maxPause}
	err := t.writer.Do(ctx, func(ctx context.Context, o *openTarget) error { return step(ctx, o.Writer, o.store) }, func(f retry.Failure) error {
		switch {
		case !passes(f.Err) || !t.connected && mistaken(f.Err, f.Attempt == 1) || ctx.Err() != nil:
			return f.Err
		case f.Elapsed+f.Pause > t.Patience:
			return fmt.Errorf("changes could not be written to ClickHouse for %s: %w", t.Patience, f.Err)
		}
		t.Log.Warn("cannot write to ClickHouse; trying again", "error", f.Err, "pause", f.Pause)
		t.Monitor.waitFor("ClickHouse")
		return nil
	})
	if err != nil {
		return &targetError{err}
	}
	t.connected = true
	t.Monitor.waitFor("")
	return nil
}

// open opens the writer, which holds the claim to write from then on.
func (t *target) open(ctx context.Context) (*openTarget, error) {
	url, err := t.ClickHouse(ctx)
	if err != nil {
		return nil, err
	}
	writer, err := replica.Open(ctx, replica.Options{URL: url, OnStatement: t.OnStatement})
	if err != nil {
		return nil, err
	}
	o := &openTarget{Writer: writer}
	if o.store, err = openStore(ctx, writer, t.Slot); err != nil {
		o.Close()
		return nil, err
	}
	return o, nil
}

// mistaken reports whether a failure at the start is a mistake of whoever started this, and not an outage: another
// writer is at work, or the URL is wrong. After a first attempt that was cut off, the writer may be what is left of
// that.
func mistaken(err error, first bool) bool {
	return first && isA[*clickhouse.HeldError](err) || clickhouse.IsDenied(err)
}

// passes reports whether a failure is ClickHouse's and may be over later.
func passes(err error) bool {
	return isA[*clickhouse.HeldError](err) || clickhouse.IsUnavailable(err) || clickhouse.IsTimeout(err) || clickhouse.IsRefused(err) || errors.Is(err, replica.ErrClaimLost) ||
		errors.Is(err, ErrEngineGone)
}

// ErrEngineGone says that the embedded engine has ended and could not be started now.
var ErrEngineGone = errors.New("the embedded engine has ended")

// targetError is a failure of ClickHouse that does not pass.
type targetError struct{ cause error }

func (e *targetError) Error() string { return e.cause.Error() }
func (e *targetError) Unwrap() error { return e.cause }
