package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/retry"
	"github.com/orgstats/orgstats/service/stats"
)

// tickEvery is the interval at which messages that are due are written.
const tickEvery = 50 * time.Millisecond

// measureTrickle lets readers ask while nothing changes, and then while messages arrive in the hour after the history.
func (b *bench) measureTrickle(ctx context.Context, db *database) error {
	hour := until.Add(time.Duration(b.dir.contents.Trickles) * time.Hour)
	b.dir.contents.Trickles++
	if err := b.dir.write(); err != nil {
		return err
	}
	t, err := newTrickle(ctx, db, hour, b.TrickleRate)
	if err != nil {
		return err
	}
	b.log.Info("readers ask while nothing changes", "time", b.TrickleTime)
	quiet, err := readFor(ctx, db, hour, b.TrickleTime)
	if err != nil {
		return err
	}
	b.log.Info("readers ask while messages trickle in", "time", b.TrickleTime, "a_second", b.TrickleRate)
	busy, err := b.readWhileLoading(ctx, db, t)
	if err != nil {
		return err
	}
	if err := t.check(ctx); err != nil {
		return err
	}
	b.report.Trickle = &trickleResult{
		PerSecond: float64(t.total()) / t.lasted.Seconds(), Readers: readers,
		Before: quiet.Summary(), During: busy.Summary(), Lag: t.lags.Summary(), MaxLag: t.lags.Summary().Max,
	}
	b.report.printTrickle(b.out)
	return nil
}

// readWhileLoading runs a loader on a stream of messages, with concurrent readers, until all messages are visible.
func (b *bench) readWhileLoading(ctx context.Context, db *database, t *trickle) (took loadtest.Latencies, err error) {
	group, ctx := errgroup.WithContext(ctx)
	reader, writer := io.Pipe()
	group.Go(func() error {
		err := b.load(ctx, db.engine, loader.Input{Path: "trickle", Reader: reader})
		_ = reader.CloseWithError(errors.Join(errors.New("the loader has ended"), err))
		return err
	})
	group.Go(func() error {
		defer func() { _ = writer.Close() }() // the loader keeps running until then, as one that follows a stream does
		stream, ctx := errgroup.WithContext(ctx)
		stream.Go(func() error { return t.write(ctx, writer, b.TrickleTime) })
		stream.Go(func() error { return t.watch(ctx) })
		return stream.Wait()
	})
	group.Go(func() (err error) {
		took, err = readFor(ctx, db, t.hour, b.TrickleTime)
		return err
	})
	return took, group.Wait()
}

// write writes messages at the trickle's rate for a time.
func (t *trickle) write(ctx context.Context, w io.Writer, duration time.Duration) error {
	defer close(t.written)
	started := time.Now()
	for elapsed := time.Duration(0); elapsed < duration; {
		if err := retry.Wait(ctx, tickEvery); err != nil {
			return err
		}
		elapsed = min(time.Since(started), duration)
		due := int(elapsed.Seconds()*float64(t.rate)) - t.total()
		if due == 0 {
			continue
		}
		lines := t.lines(elapsed, due)
		t.sent(due)
		if _, err := w.Write(lines); err != nil {
			return err
		}
	}
	t.lasted = time.Since(started)
	return nil
}

// watchEvery is the interval at which the newest messages are looked for, and thus the resolution of the lag.
const watchEvery = 50 * time.Millisecond

// watch asks about the hour repeatedly until all messages are visible, and records the age of the oldest one that is
// missing.
func (t *trickle) watch(ctx context.Context) error {
	for written := false; ; {
		select {
		case <-t.written:
			written = true
		default:
		}
		figures, err := t.db.answer(ctx, t.question())
		if err != nil {
			return err
		}
		lag := t.lag(figures.MessageCount)
		if written && lag == 0 {
			return nil
		}
		t.lags.Add(lag)
		if err := retry.Wait(ctx, watchEvery); err != nil {
			return err
		}
	}
}

// check compares the answers about the arrived messages with the plain query's.
func (t *trickle) check(ctx context.Context) error {
	hour := t.question()
	day := hour
	day.From -= (24 * time.Hour).Milliseconds()
	for _, q := range []stats.Question{hour, day} {
		if err := (&queryCase{question: q}).ask(ctx, t.db); err != nil {
			return err
		}
	}
	return nil
}

const (
	readers   = 4
	askEvery  = 100 * time.Millisecond // of each reader, unless an answer takes longer
	upToNow   = 2                      // one in so many questions is about a time up to the newest message
	newWindow = 40 * 24 * time.Hour    // at most
)

// readFor lets readers ask about random windows for a time; half of the windows reach into the hour that is being
// written.
func readFor(ctx context.Context, db *database, hour time.Time, duration time.Duration) (took loadtest.Latencies, err error) {
	err = repeatedly(ctx, &took, readers, askEvery, duration, func(reader int) client {
		random := rand.New(rand.NewPCG(5, uint64(reader)))
		return client{
			next: func() stats.Question { return dashboardWindow(random, db, hour) },
			ask: func(ctx context.Context, q stats.Question) error {
				_, err := db.answer(ctx, q)
				return err
			},
		}
	})
	return took, err
}

// dashboardWindow returns any window of the year, or one that ends with the hour that is being written.
func dashboardWindow(r *rand.Rand, db *database, hour time.Time) stats.Question {
	if r.IntN(upToNow) > 0 {
		return randomWindow(r, db.org)
	}
	end := hour.Add(time.Hour)
	return window{from: end.Add(-time.Duration(r.Float64() * float64(newWindow))), until: end}.question(db.org)
}
