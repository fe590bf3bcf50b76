package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/replica"
)

// target is the ClickHouse that is written to. A failure of it is met with a new writer, which mends what was cut off,
// and with the whole step again.
type target struct {
	url         func(context.Context) (string, error) // asked again after every failure: the embedded engine may be another one
	onStatement func(statement string)
	slot        string
	patience    time.Duration
	log         *slog.Logger
	waiting     func(what string) // told what is waited for, "" when no more

	connected bool // it was able to take something once
	writer    *replica.Writer
	store     *store
}

const (
	firstPause = 250 * time.Millisecond
	maxPause   = 15 * time.Second
)

// do carries out a step, again and again while ClickHouse is not able to. The step must do no harm when it is done
// twice. It is not cut off by the context once it has begun.
func (t *target) do(ctx context.Context, step func(ctx context.Context, w *replica.Writer, s *store) error) error {
	pause := firstPause
	for began, first := time.Now(), true; ; first = false {
		err := t.attempt(ctx, step)
		if err == nil {
			t.connected = true
			t.waiting("")
			return nil
		}
		t.close()
		if !passes(err) || !t.connected && mistaken(err, first) || ctx.Err() != nil {
			return &targetError{err}
		}
		if time.Since(began)+pause > t.patience {
			return &targetError{fmt.Errorf("ClickHouse was not able to take changes for %s: %w", t.patience, err)}
		}
		t.log.Warn("ClickHouse is not able to take changes; trying again", "error", err, "pause", pause)
		t.waiting("ClickHouse")
		select {
		case <-ctx.Done():
			return &targetError{err}
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

func (t *target) attempt(ctx context.Context, step func(ctx context.Context, w *replica.Writer, s *store) error) error {
	if err := t.open(ctx); err != nil {
		return err
	}
	return step(context.WithoutCancel(ctx), t.writer, t.store)
}

// open takes the claim to write, unless it is held.
func (t *target) open(ctx context.Context) error {
	if t.writer != nil {
		return nil
	}
	url, err := t.url(ctx)
	if err != nil {
		return err
	}
	if t.writer, err = replica.Open(ctx, replica.Options{URL: url, Written: t.onStatement}); err != nil {
		return err
	}
	t.store, err = openStore(ctx, t.writer, t.slot)
	return err
}

func (t *target) close() {
	if t.writer != nil {
		t.writer.Close()
		t.writer, t.store = nil, nil
	}
}

// mistaken tells whether a failure at the start is a mistake of whoever started this, and not an outage: another writer
// is at work, or the URL is wrong. After a first attempt that was cut off, the writer may be what is left of that.
func mistaken(err error, first bool) bool {
	_, held := errors.AsType[*clickhouse.HeldError](err)
	return first && held || clickhouse.IsDenied(err)
}

// passes tells whether a failure is ClickHouse's and may be over later.
func passes(err error) bool {
	_, held := errors.AsType[*clickhouse.HeldError](err)
	return held || clickhouse.IsUnavailable(err) || clickhouse.IsTimeout(err) || clickhouse.IsRefused(err) || errors.Is(err, replica.ErrClaimLost) ||
		errors.Is(err, ErrEngineGone)
}

// ErrEngineGone says that the embedded engine has ended and could not be started now.
var ErrEngineGone = errors.New("the embedded engine is gone")

// targetError is a failure of ClickHouse that does not pass.
type targetError struct{ cause error }

func (e *targetError) Error() string { return e.cause.Error() }
func (e *targetError) Unwrap() error { return e.cause }
