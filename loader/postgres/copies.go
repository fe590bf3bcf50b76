package postgres

import (
	"context"
	"time"

	"github.com/orgstats/orgstats/loader/postgres/snapshot"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// prepareCopies prepares the copies of tables that need one; nil: none does.
func (s *session) prepareCopies(ctx context.Context) (*snapshot.Copies, error) {
	c := snapshot.New(snapshot.Options{URL: s.URL, Slot: s.Slot, Workers: s.SnapshotWorkers, Base: s.state.source.base, Log: s.Log})
	for _, t := range s.tables {
		if st := s.state.tables[t.FullName()]; st.state != following {
			c.Jobs = append(c.Jobs, &snapshot.Job{Table: t, Copying: st.state == copying, Files: st.files})
		}
	}
	if len(c.Jobs) == 0 {
		return nil, nil
	}
	return c, s.target.do(ctx, func(ctx context.Context, _ *replica.Writer, store *store) (err error) {
		for _, j := range c.Jobs {
			if j.Chunks, err = store.loadChunks(ctx, s.stateOf(j)); err != nil {
				return err
			}
		}
		return nil
	})
}

// stateOf returns the state of a table that is copied. It is the writer's, which counts changes in it while rows are
// read.
func (s *session) stateOf(j *snapshot.Job) *tableState { return s.state.tables[j.Table.FullName()] }

// writeCopied writes what a copy has read: how it is laid out, or rows.
func (s *session) writeCopied(ctx context.Context, w *snapshot.Copied) error {
	if w.Layout != nil {
		return s.saveLayout(ctx, w.Layout)
	}
	if w.Shared {
		if err := s.resolveTable(ctx, w.Changes, w.Job.Table, w.Asked); err != nil {
			return err
		}
	}
	w.Batch.Drop(func(_ record.Kind, key string) bool { return s.copies.IsDeleted(w.Job.Table, key, w.Position) })
	if !w.Shared { // those are as they are now
		if err := s.complete(ctx, w.Changes, s.rereads(w)); err != nil {
			return err
		}
	}
	if err := s.apply(ctx, w.Changes, s.stateOf(w.Job), w.Done); err != nil {
		return err
	}
	s.addCounts(w.Changes)
	if len(w.Done) > 0 { // rows of a chunk that is not complete are read again after a failure: they are no progress
		s.progressAt = time.Now()
	}
	w.Wrote()
	if w.Shared {
		s.stateOf(w.Job).shared = true
	}
	s.Monitor.wrote(s, w.Changes, true)
	return nil
}

// rereads returns the copied rows that are no records. As they are now they decide: the WAL may have had a later
// version already.
func (s *session) rereads(w *snapshot.Copied) replica.Missing {
	missing := replica.Missing{}
	rejects := w.Rejects
	w.Rejects = nil
	for _, r := range rejects {
		if w.Job.Table.Encoding.CanEncode(r.Key) {
			missing[r.Record] = append(missing[r.Record], r.Key)
		} else {
			s.rejects.Reject(w.Changes, w.Job.Table, r.Key, r.Cause)
		}
	}
	return missing
}

// saveLayout notes the chunks of a table's copy and the snapshot that it is read from.
func (s *session) saveLayout(ctx context.Context, l *snapshot.Layout) error {
	j := l.Job
	next := *s.stateOf(j)
	next.snapshot = l.Snapshot
	if l.Fresh {
		next.files, next.shared, next.counts.Copied = l.Files, false, 0
	}
	if l.Floor > 0 {
		next.floor = l.Floor
	}
	err := s.target.do(ctx, func(ctx context.Context, _ *replica.Writer, store *store) error {
		if l.Fresh {
			if err := store.saveChunks(ctx, &next, j.Chunks...); err != nil {
				return err
			}
		}
		return store.saveTables(ctx, &next)
	})
	if err != nil {
		return err
	}
	*s.stateOf(j) = next
	s.copies.Begin(l)
	return nil
}

// sweep ends the copies whose rows are all there: what the source did not have any more is deleted. The WAL must have
// been written up to the snapshot by then.
func (s *session) sweep(ctx context.Context) error {
	open := false
	for _, j := range s.copies.Jobs {
		st := s.stateOf(j)
		if st.state == copying && j.Complete() {
			st.state = sweeping
			s.changed[st.name] = true
		}
		if st.state == sweeping && s.state.source.position(s.written) >= st.snapshot {
			if err := s.sweepTable(ctx, st); err != nil {
				return err
			}
		}
		open = open || st.state != following
	}
	if open {
		return nil
	}
	s.copies = nil
	s.Log.Info("all tables are copied")
	return s.checkpoint(ctx, true)
}

func (s *session) sweepTable(ctx context.Context, st *tableState) error {
	next := *st
	next.state = following
	return s.target.do(ctx, func(ctx context.Context, w *replica.Writer, store *store) error {
		deleted, err := w.DeleteRemaining(ctx, next.record, next.floor-1, next.snapshot, time.Now().UnixMilli())
		if err != nil {
			return err
		}
		gone, err := store.staleRejects(ctx, &next)
		if err != nil {
			return err
		}
		resolved := wal.NewChanges()
		resolved.Position, resolved.CommittedAt = next.snapshot, time.Now()
		for row := range gone {
			s.rejects.Resolve(resolved, row)
		}
		if err := store.saveRejects(ctx, resolved.Rejects); err != nil {
			return err
		}
		if err := s.compute(ctx, w); err != nil { // a copy is complete when its cells are right
			return err
		}
		if err := store.saveTables(ctx, &next); err != nil {
			return err
		}
		*st = next
		s.Log.Info("copied", "table", next.name, "rows", next.counts.Copied, "deleted", deleted)
		return nil
	})
}
