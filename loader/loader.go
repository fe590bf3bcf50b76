// Package loader reads files of newline-delimited JSON records and loads them into the replicas. It streams: files of
// any size are read, parsed and written at the same time, in bounded memory.
package loader

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/loader/retry"
)

// Options say what to load, and where to.
type Options struct {
	Inputs   []Input // in this order
	Replicas replica.Options
	Rejects  string // path of the rejects file, which must not exist yet
	Log      *slog.Logger
	Progress *Progress // nil: nobody watches
}

const (
	batchRecords = 250_000     // a batch is written when it has this many records,
	firstRecords = 100_000     // or so many, if nothing is being written yet,
	batchBytes   = 96 << 20    // or was made of this many bytes,
	batchTime    = time.Second // or its first record has waited this long,
	chunksAhead  = 8           // chunks that are read or parsed ahead of the batch that they go into,
	bytesAhead   = 96 << 20    // as long as they are not larger than this together
)

// Load loads the files. When the context ends, it writes the batch that it is at and stops with the context's error.
// The summary says what was done in any case; whatever it counts as loaded is durable.
func Load(ctx context.Context, o Options) (Summary, error) {
	size, err := checkInputs(o.Inputs)
	if err != nil {
		return Summary{}, err
	}
	if o.Progress == nil {
		o.Progress = &Progress{}
	}
	o.Progress.start(size)
	l := &load{
		Options: o, rejects: rejects{path: o.Rejects}, ahead: semaphore.NewWeighted(bytesAhead), opened: make(chan struct{}),
		nextCompute: time.Now().Add(computeEvery),
	}
	l.writer.Backoff = retry.Backoff{First: firstPause, Max: maxPause}
	l.writer.Open = func(ctx context.Context) (*replica.Writer, error) {
		l.begun = 0
		return replica.Open(ctx, l.Replicas)
	}
	defer l.writer.Close()
	err = errors.Join(l.run(ctx), l.rejects.close())
	l.summary.rejected(&l.rejects)
	return l.summary, errors.Join(err, l.end(ctx))
}

// end computes what is stale and counts what waits, unless the writer was lost.
func (l *load) end(ctx context.Context) error {
	if !l.writer.IsOpen() {
		return nil
	}
	if err := l.do(ctx, "compute the cells", l.compute); err != nil {
		return fmt.Errorf("what the summary counts is loaded, and answers are right but slow until its cells are computed, which the next load "+
			"begins with: %w", err)
	}
	return l.once(ctx, func(ctx context.Context, w *replica.Writer) (err error) {
		l.summary.Waiting, err = w.Waiting(ctx)
		return err
	})
}

// load is a load under way.
type load struct {
	Options
	writer  retry.Writer[*replica.Writer]
	rejects rejects
	summary Summary
	ahead   *semaphore.Weighted // bytes of lines that were read and not gathered yet
	opened  chan struct{}       // closed once there is a writer: no line is rejected before

	unwritten   []batch // batches that came and are not known to be written,
	begun       int     // of which the writer has begun so many
	remaining   remaining
	nextCompute time.Time // when cells are computed next while full batches keep coming
}

// batch is a batch to write, with the number of records of each type that went into it.
type batch struct {
	*replica.Batch
	read  [numCounted]uint64
	bytes int
}

// run moves lines through the stages: read, parse (in parallel), gather into batches, write.
func (l *load) run(ctx context.Context) error {
	whole := ctx // the writer lives on when the stages have ended
	stages, ctx := errgroup.WithContext(ctx)
	toParse := make(chan *chunk, chunksAhead)
	inOrder := make(chan *chunk, chunksAhead)
	batches := make(chan batch)
	stages.Go(func() error {
		defer close(inOrder)
		defer close(toParse)
		return l.read(ctx, toParse, inOrder)
	})
	for range runtime.GOMAXPROCS(0) {
		stages.Go(func() error {
			for c := range toParse {
				c.parse()
			}
			return nil
		})
	}
	stages.Go(func() error {
		defer close(batches)
		return l.gather(ctx, inOrder, batches)
	})
	stages.Go(func() error {
		if err := l.open(whole); err != nil {
			return err
		}
		for b := range batches {
			l.unwritten = append(l.unwritten, b)
			if err := l.write(ctx, false); err != nil {
				return err
			}
		}
		return l.write(ctx, true)
	})
	return stages.Wait()
}

// open opens the writer, while the first lines are being read.
func (l *load) open(ctx context.Context) error {
	err := l.once(ctx, func(context.Context, *replica.Writer) error { return nil })
	if err == nil {
		close(l.opened)
	}
	return err
}

func (l *load) read(ctx context.Context, toParse, inOrder chan<- *chunk) error {
	for _, in := range l.Inputs {
		s, err := openSource(ctx, in, func(n int) { l.Progress.read.Add(int64(n)) })
		if err != nil {
			return err
		}
		err = readLines(ctx, s, func(c *chunk) error {
			if err := l.ahead.Acquire(ctx, c.weight()); err != nil {
				return err
			}
			l.remaining.bytesRead.Add(int64(len(c.bytes)))
			for _, out := range []chan<- *chunk{toParse, inOrder} {
				select {
				case out <- c:
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			return nil
		})
		if err := errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) gather(ctx context.Context, inOrder <-chan *chunk, batches chan<- batch) error {
	b, limit := batch{Batch: replica.NewBatch(0)}, firstRecords
	waited := time.NewTimer(batchTime)
	send := func() error {
		select {
		case batches <- b:
			room := b.Messages() // the next one is likely to be like this one
			if b.Len() >= limit {
				room = room * batchRecords / limit
			}
			room += room / 16
			b, limit = batch{Batch: replica.NewBatch(room)}, batchRecords
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for {
		due := false
		select {
		case c, more := <-inOrder:
			if !more {
				if b.Len() == 0 || ctx.Err() != nil {
					return ctx.Err()
				}
				return send()
			}
			if b.Len() == 0 {
				waited.Reset(batchTime)
			}
			<-c.parsed
			if err := l.addChunk(ctx, c, &b); err != nil {
				return err
			}
		case <-waited.C:
			due = b.Len() > 0
		}
		if due || b.Len() >= limit || b.bytes >= batchBytes {
			if err := send(); err != nil {
				return err
			}
		}
	}
}

// addChunk adds the records of a chunk to a batch, and its other lines to the rejects.
func (l *load) addChunk(ctx context.Context, c *chunk, b *batch) error {
	for i, r := range c.results {
		if r.err != nil {
			select {
			case <-l.opened:
			case <-ctx.Done():
				return ctx.Err()
			}
			if err := l.rejects.add(c.path, c.lines[i].number, r.err, c.text(i)); err != nil {
				return err
			}
			continue
		}
		b.Add(r.record)
		b.read[r.record.Kind()]++
	}
	b.bytes += len(c.bytes)
	l.ahead.Release(c.weight())
	c.recycle()
	return nil
}

// Attempts at what ClickHouse can't do just now, and the pauses between them.
const (
	attempts   = 7
	firstPause = time.Second
	maxPause   = 32 * time.Second
)

// write begins to write the batches that came, and waits until all but the last are written, or all.
func (l *load) write(ctx context.Context, all bool) error {
	return l.do(ctx, "take a batch", func(ctx context.Context, w *replica.Writer) error { return l.tryToWrite(ctx, w, all) })
}

// do carries out a step of the writer, again and again while ClickHouse can't.
func (l *load) do(ctx context.Context, what string, step func(context.Context, *replica.Writer) error) error {
	return l.writer.Do(ctx, step, func(f retry.Failure) error {
		if !clickhouse.IsUnavailable(f.Err) || f.Attempt == attempts {
			return f.Err
		}
		l.Log.Warn("ClickHouse can't "+what+"; trying again", "error", f.Err, "attempt", f.Attempt, "of", attempts, "pause", f.Pause)
		return nil
	})
}

// once carries out a step of the writer without trying again.
func (l *load) once(ctx context.Context, step func(context.Context, *replica.Writer) error) error {
	return l.writer.Do(ctx, step, func(f retry.Failure) error { return f.Err })
}

// Cells are computed now and then in the middle of a load that keeps coming in full batches: each time most of what was
// loaded, when the records come in no order of time. So the pause grows with the duration of computing, which would
// otherwise be most of the load.
const (
	computeEvery = 2 * time.Minute // the pause is at least this,
	computeShare = 10              // and so many times what the last computing took
)

func (l *load) tryToWrite(ctx context.Context, w *replica.Writer, all bool) error {
	for l.begun < len(l.unwritten) {
		next := l.unwritten[l.begun]
		w.Expect(l.remaining.after(next, l.Progress))
		changed, err := w.Begin(ctx, next.Batch)
		if err != nil {
			return err
		}
		l.begun++
		if l.begun > 1 {
			l.written(changed)
		}
		all = all || l.computeAfter(l.unwritten[0])
	}
	if !all || l.begun == 0 {
		return nil
	}
	changed, err := w.Wait()
	if err != nil {
		return err
	}
	last := l.unwritten[0]
	l.written(changed)
	if l.computeAfter(last) {
		return l.compute(ctx, w)
	}
	return nil
}

// written notes that the first of the batches is written.
func (l *load) written(changed replica.Changed) {
	b := l.unwritten[0]
	l.unwritten = slices.Delete(l.unwritten, 0, 1)
	l.begun--
	l.summary.add(b.read, changed)
	l.Progress.records.Add(int64(b.Len()))
}

// computeAfter reports whether the cells are to be computed once a batch is written. The hours of one that came slowly
// are computed at once. Otherwise much is coming, and computing the same hours again with each batch would cost more
// than the rest.
func (l *load) computeAfter(b batch) bool {
	return b.Len() < replica.LargeBatch && b.bytes < batchBytes || time.Now().After(l.nextCompute)
}

func (l *load) compute(ctx context.Context, w *replica.Writer) error {
	started := time.Now()
	err := w.Compute(ctx)
	l.nextCompute = time.Now().Add(max(computeEvery, computeShare*time.Since(started)))
	return err
}
