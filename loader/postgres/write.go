package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/orgstats/orgstats/loader/postgres/snapshot"
	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// How often cells are computed, and with them the confirmed position moves, while much is coming: computing the same
// hours again with each batch would cost more than the rest. Answers are exact all the same. Nothing is followed while
// cells are computed. So what a copy writes is computed often, and little at a time, where its rows come in the order
// of their time, as most tables have them; and seldom where each computing takes long, because the rows are of all
// times.
const (
	computeBusy  = 5 * time.Second
	computeShare = 3 // while tables are copied the pause is at least so many times what the last computing took
)

// write writes what comes in order: those of the WAL first, and those of copies between them. It is the only
// one that writes to ClickHouse.
func (s *session) write(ctx context.Context) error {
	for {
		works, wait, err := s.queue.Next(s.written, s.saved, s.idleTime())
		for _, w := range works {
			if err := s.writeChanges(ctx, w); err != nil {
				return err
			}
		}
		if len(works) > 0 {
			s.busy = len(works) > 1 || works[0].Rows >= s.BatchRows || waited(works[0]) > 2*s.BatchTime
		}
		copied, copyErr := s.writeReadyCopy(ctx, len(works) > 0)
		if copyErr != nil {
			return copyErr
		}
		if err := s.checkpoint(ctx, false); err != nil {
			return err
		}
		switch {
		case ctx.Err() != nil:
			return errors.Join(ctx.Err(), s.checkpoint(ctx, true))
		case len(works) > 0 || copied:
			continue
		case err != nil:
			return errors.Join(s.checkpoint(ctx, true), err)
		}
		s.busy = false
		if err := s.idle(ctx, wait); err != nil {
			return err
		}
	}
}

// How often the LSN is saved while the WAL has no changes. A copy ends only when the WAL has passed its snapshot.
const (
	idleConfirm = 2 * time.Second
	idleCopying = 200 * time.Millisecond
)

func (s *session) idleTime() time.Duration {
	if s.copies != nil {
		return idleCopying
	}
	return idleConfirm
}

// waited returns how long the first change of a batch has waited to be written.
func waited(w *wal.Changes) time.Duration {
	if w.FirstReadAt.IsZero() {
		return 0
	}
	return time.Since(w.FirstReadAt)
}

// idle waits for something to write. Before that, everything is settled that could wait while more was coming.
func (s *session) idle(ctx context.Context, wait time.Duration) error {
	if err := s.checkpoint(ctx, s.copies == nil); err != nil {
		return err
	}
	var copies <-chan *snapshot.Copied
	if s.copies != nil {
		copies = s.copies.Results
	}
	timer := time.NewTimer(min(max(wait, time.Millisecond), time.Second))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.queue.Ready:
	case <-timer.C:
	case w := <-copies:
		return s.writeCopied(ctx, w)
	}
	return nil
}

// writeReadyCopy writes what a copy has read, one batch at a time if the WAL has changes, too.
func (s *session) writeReadyCopy(ctx context.Context, busy bool) (taken bool, err error) {
	if s.copies == nil {
		return false, nil
	}
	select {
	case w := <-s.copies.Results:
		taken, err = true, s.writeCopied(ctx, w)
	default:
	}
	if err == nil {
		err = s.sweep(ctx)
	}
	return taken, err
}

// writeChanges writes a batch of the WAL.
func (s *session) writeChanges(ctx context.Context, w *wal.Changes) error {
	s.Monitor.writing(w)
	if s.copies != nil {
		s.copies.NoteDeletions(w)
	}
	var err error
	if len(w.Truncated) > 0 {
		err = s.truncate(ctx, w)
	} else if !w.Empty() {
		err = s.applyChanges(ctx, w)
	}
	if err != nil {
		return err
	}
	s.addCounts(w)
	if w.Rows > 0 || len(w.Truncated) > 0 {
		s.committedAt, s.progressAt = w.CommittedAt, time.Now()
	}
	s.Monitor.wrote(s, w, false)
	if w.ConfirmTo > s.written {
		s.written = w.ConfirmTo
		if w.Urgent {
			return s.checkpoint(ctx, true)
		}
	}
	return nil
}

func (s *session) floors() (f replica.Floors) {
	for _, t := range s.state.tables {
		f[t.record] = t.floor
	}
	return f
}

// applyChanges writes changes of rows, once what is missing was asked of the source.
func (s *session) applyChanges(ctx context.Context, w *wal.Changes) error {
	if err := s.resolveShared(ctx, w); err != nil {
		return err
	}
	var missing replica.Missing // rows of which the batch lacks something
	err := s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, _ *store) (err error) {
		missing, err = writer.Incomplete(ctx, w.Batch, s.floors())
		return err
	})
	if err != nil {
		return err
	}
	if err := s.complete(ctx, w, missing); err != nil {
		return err
	}
	return s.apply(ctx, w, nil, nil)
}

// apply writes a batch and its rejects, and the chunks of a table's copy that are done with it.
func (s *session) apply(ctx context.Context, w *wal.Changes, copied *tableState, done []*snapshot.Chunk) error {
	return s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, store *store) error {
		if w.Batch.Len() > 0 {
			if _, err := writer.Apply(ctx, w.Batch); err != nil {
				return err
			}
		}
		if err := store.saveRejects(ctx, w.Rejects); err != nil {
			return err
		}
		if len(done) == 0 {
			return nil
		}
		return store.saveChunks(ctx, copied, done...)
	})
}

// complete asks the source for the rows that something is missing of.
func (s *session) complete(ctx context.Context, w *wal.Changes, missing replica.Missing) error {
	if len(missing) == 0 {
		return nil
	}
	var found []record.Record
	for _, t := range s.tables {
		keys := missing[t.Record]
		if len(keys) == 0 {
			continue
		}
		err := s.catalog.FetchRows(ctx, t, keys, func(values []source.Value) {
			if rec := s.rejects.ReadRecord(w, t, t.Row(values, w.Position), t.KeyOf(values)); rec != nil {
				found = append(found, rec)
			}
		})
		if err != nil {
			return err
		}
	}
	w.Batch.Complete(missing, found)
	return nil
}

// truncate deletes the rows of tables that were truncated, as far as they came from the WAL before that.
func (s *session) truncate(ctx context.Context, w *wal.Changes) error {
	for _, t := range w.Truncated {
		err := s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, store *store) error {
			if _, err := writer.DeleteRemaining(ctx, t.Record, w.Position, w.Position, w.CommittedAt.UnixMilli()); err != nil {
				return err
			}
			return store.saveRejects(ctx, w.Rejects)
		})
		if err != nil {
			return err
		}
		s.Log.Info("a table was truncated", "table", t.FullName())
	}
	return nil
}

// addCounts adds what a batch did to the tables' counts.
func (s *session) addCounts(w *wal.Changes) {
	for name, c := range w.Counts {
		s.state.tables[name].counts.Add(*c)
		s.changed[name] = true
	}
}

// checkpoint computes cells, notes how far the source was replicated, and lets the source forget it; all of that now,
// or when it is due.
func (s *session) checkpoint(ctx context.Context, now bool) error {
	caughtUpAt := s.caughtUpAt()
	if s.written == s.state.source.confirmed && len(s.changed) == 0 && caughtUpAt.Equal(s.state.source.caughtUpAt) {
		return nil
	}
	every := time.Duration(0)
	switch {
	case s.copies != nil:
		every = max(computeBusy, computeShare*s.computing)
	case s.busy:
		every = computeBusy
	}
	if !now && time.Since(s.computed) < every {
		return nil
	}
	next := s.state.source
	next.confirmed, next.committedAt, next.caughtUpAt = s.written, s.committedAt, caughtUpAt
	waiting, err := s.waitingMessages(ctx)
	if err != nil {
		return err
	}
	err = s.target.do(ctx, func(ctx context.Context, w *replica.Writer, store *store) error {
		if err := s.compute(ctx, w); err != nil {
			return err
		}
		var tables []*tableState
		for name := range s.changed {
			tables = append(tables, s.state.tables[name])
		}
		if err := store.saveTables(ctx, tables...); err != nil {
			return err
		}
		return store.saveSource(ctx, &next)
	})
	if err != nil {
		return err
	}
	s.state.source = next
	clear(s.changed)
	s.computed, s.saved = time.Now(), time.Now()
	s.stream.Confirm(s.written)
	s.Monitor.checkpointed(s, waiting)
	return nil
}

// caughtUpAt returns the time before which every change that was committed is written. It stands still while a table is
// copied, whose rows are of that time in part only.
func (s *session) caughtUpAt() time.Time {
	last := s.state.source.caughtUpAt
	if now := s.progress.caughtUpAt(s.written); s.copies == nil && now.After(last) {
		return now
	}
	return last
}

// compute computes the cells of all that was written.
func (s *session) compute(ctx context.Context, w *replica.Writer) error {
	began, hours := time.Now(), w.Stale()
	err := w.Compute(ctx)
	s.computing = time.Since(began)
	s.Log.Debug("computed cells", "hours", hours, "took", s.computing)
	return err
}

// countEvery is how often the messages that wait for their conversation are counted.
const countEvery = 10 * time.Second

func (s *session) waitingMessages(ctx context.Context) (uint64, error) {
	if time.Since(s.counting.at) < countEvery {
		return s.counting.n, nil
	}
	err := s.target.do(ctx, func(ctx context.Context, w *replica.Writer, _ *store) (err error) {
		s.counting.n, err = w.Waiting(ctx)
		return err
	})
	s.counting.at = time.Now()
	return s.counting.n, err
}
