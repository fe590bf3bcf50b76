package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// How often cells are computed, and with them the confirmed position moves, while much is coming: computing the same
// hours again with each batch would cost more than the rest. Answers are exact all the same. Nothing is followed while
// cells are computed. So what a copy brings is computed often, and little at a time, where its rows come in the order
// of their time, as most tables have them; and seldom where each computing takes long, because the rows are of all
// times.
const (
	computeBusy  = 5 * time.Second
	computeShare = 3 // while tables are copied the pause is at least so many times what the last computing took
)

// write takes works in order and writes them: those of the log first, and those of copies between them. It is the only
// one that writes to ClickHouse.
func (s *session) write(ctx context.Context) error {
	for {
		works, wait, err := s.queue.take(s.taken, s.saved, s.idleTime())
		for _, w := range works {
			if err := s.takeChanges(ctx, w); err != nil {
				return err
			}
		}
		if len(works) > 0 {
			s.busy = len(works) > 1 || works[0].rows >= s.BatchRows || waited(works[0]) > 2*s.BatchTime
		}
		copied, copyErr := s.takeCopied(ctx, len(works) > 0)
		if copyErr != nil {
			return copyErr
		}
		if err := s.settle(ctx, false); err != nil {
			return err
		}
		switch {
		case ctx.Err() != nil:
			return errors.Join(ctx.Err(), s.settle(ctx, true))
		case len(works) > 0 || copied:
			continue
		case err != nil:
			return errors.Join(s.settle(ctx, true), err)
		}
		s.busy = false
		if err := s.idle(ctx, wait); err != nil {
			return err
		}
	}
}

// How often a log that brings nothing is noted to have got on. A copy ends only when the log has passed its snapshot.
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

// waited is how long the first change of a work has waited to be written.
func waited(w *work) time.Duration {
	if w.since.IsZero() {
		return 0
	}
	return time.Since(w.since)
}

// idle waits for something to write. Before that, everything is settled that could wait while more was coming.
func (s *session) idle(ctx context.Context, wait time.Duration) error {
	if err := s.settle(ctx, s.copies == nil); err != nil {
		return err
	}
	var copied <-chan *work
	if s.copies != nil {
		copied = s.copies.works
	}
	timer := time.NewTimer(min(max(wait, time.Millisecond), time.Second))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-s.queue.ready:
	case <-timer.C:
	case w := <-copied:
		return s.takeCopy(ctx, w)
	}
	return nil
}

// takeCopied writes what a copy has ready, one work at a time if the log brings changes, too.
func (s *session) takeCopied(ctx context.Context, busy bool) (taken bool, err error) {
	if s.copies == nil {
		return false, nil
	}
	select {
	case w := <-s.copies.works:
		taken, err = true, s.takeCopy(ctx, w)
	default:
	}
	if err == nil {
		err = s.sweep(ctx)
	}
	return taken, err
}

// takeChanges writes what the log brought.
func (s *session) takeChanges(ctx context.Context, w *work) error {
	s.Monitor.taking(w)
	if s.copies != nil {
		s.copies.note(w)
	}
	var err error
	if len(w.truncated) > 0 {
		err = s.truncate(ctx, w)
	} else if !w.empty() {
		err = s.apply(ctx, w, s.missing)
	}
	if err != nil {
		return err
	}
	s.counted(w)
	if w.rows > 0 || len(w.truncated) > 0 {
		s.committedAt = w.at
	}
	if w.confirm > s.taken {
		s.taken = w.confirm
		if w.urgent {
			return s.settle(ctx, true)
		}
	}
	return nil
}

// missing tells of which rows a batch lacks something.
func (s *session) missing(ctx context.Context, w *work) (missing replica.Missing, err error) {
	err = s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, _ *store) error {
		missing, err = writer.Incomplete(ctx, w.batch, s.floors())
		return err
	})
	return missing, err
}

func (s *session) floors() (f replica.Floors) {
	for _, t := range s.state.tables {
		f[t.record] = t.floor
	}
	return f
}

// apply writes a batch and its rejects, once what is missing was asked of the source.
func (s *session) apply(ctx context.Context, w *work, find func(context.Context, *work) (replica.Missing, error)) error {
	if err := s.settleShared(ctx, w); err != nil {
		return err
	}
	missing, err := find(ctx, w)
	if err != nil {
		return err
	}
	if err := s.complete(ctx, w, missing); err != nil {
		return err
	}
	return s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, store *store) error {
		if w.batch.Len() > 0 {
			if _, err := writer.Apply(ctx, w.batch); err != nil {
				return err
			}
		}
		if err := store.saveRejects(ctx, w.rejects); err != nil {
			return err
		}
		if len(w.done) == 0 {
			return nil
		}
		return store.saveChunks(ctx, s.state.tables[w.copied.FullName()], w.done...)
	})
}

// complete asks the source for the rows that something is missing of.
func (s *session) complete(ctx context.Context, w *work, missing replica.Missing) error {
	if len(missing) == 0 {
		return nil
	}
	var found []record.Record
	for _, t := range s.tables {
		keys := missing[t.Record]
		if len(keys) == 0 {
			continue
		}
		err := s.catalog.fetch(ctx, t, keys, func(values []value) {
			if rec := s.rejects.read(w, t, t.row(values, w.position), t.keyOf(values)); rec != nil {
				found = append(found, rec)
			}
		})
		if err != nil {
			return err
		}
	}
	w.batch.Complete(missing, found)
	return nil
}

// truncate deletes the rows of tables that were emptied, as far as they came from the log before that.
func (s *session) truncate(ctx context.Context, w *work) error {
	for _, t := range w.truncated {
		err := s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, store *store) error {
			if _, err := writer.DeleteRemaining(ctx, t.Record, w.position, w.position, w.at.UnixMilli()); err != nil {
				return err
			}
			return store.saveRejects(ctx, w.rejects)
		})
		if err != nil {
			return err
		}
		s.Log.Info("a table was emptied", "table", t.FullName())
	}
	return nil
}

// counted adds what a work did to the tables' counts.
func (s *session) counted(w *work) {
	for name, c := range w.counts {
		s.state.tables[name].counts.add(*c)
		s.changed[name] = true
	}
	// Rows of a chunk that is not complete are read again after a failure: they are no progress.
	if w.copied == nil && (w.rows > 0 || len(w.truncated) > 0) || len(w.done) > 0 {
		s.alive = time.Now()
	}
	s.Monitor.wrote(s, w)
}

// settle computes cells, notes how far the source was taken, and lets the source forget it; all of that now, or when it
// is due.
func (s *session) settle(ctx context.Context, now bool) error {
	if s.taken == s.state.source.confirmed && len(s.changed) == 0 {
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
	next.confirmed, next.committedAt = s.taken, s.committedAt
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
	s.stream.confirm(s.taken)
	s.Monitor.settled(s, waiting)
	return nil
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
