package postgres

import (
	"context"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// copies are the copies of tables that are under way in a session.
type copies struct {
	session *session
	jobs    []*copyJob
	works   chan *work // what was read, for the writer
	base    uint64     // of positions, as sourceState has it
	point   pglogrepl.LSN

	began      time.Time // when the first row was asked for
	doneBefore int       // chunks that were done before

	// What the log brought while rows were being copied: a row that was deleted after the snapshot, and before it was
	// copied, must not come back.
	deleted   map[rowKey]uint64
	truncated map[string]uint64
}

// copyJob is the copy of one table. Its state is the writer's, which counts changes in it while rows are read.
type copyJob struct {
	table *table
	state *tableState

	copying bool  // when the session began: there are rows to copy,
	files   files // and an earlier copy was of these files

	chunks []*chunk
	left   int  // chunks that are not done
	shared bool // it is still to be found out which rows share a record
	laid   bool
}

// newCopies prepares the copies of tables that need one; nil: none does.
func (s *session) newCopies(ctx context.Context) (*copies, error) {
	c := &copies{session: s, works: make(chan *work, 2), base: s.state.source.base, deleted: map[rowKey]uint64{}, truncated: map[string]uint64{}}
	for _, t := range s.tables {
		if st := s.state.tables[t.FullName()]; st.state != following {
			c.jobs = append(c.jobs, &copyJob{table: t, state: st, copying: st.state == copying, files: st.files})
		}
	}
	if len(c.jobs) == 0 {
		return nil, nil
	}
	return c, s.target.do(ctx, func(ctx context.Context, _ *replica.Writer, store *store) (err error) {
		for _, j := range c.jobs {
			if j.chunks, err = store.loadChunks(ctx, j.state); err != nil {
				return err
			}
		}
		return nil
	})
}

// note remembers what a work of the log deletes.
func (c *copies) note(w *work) {
	for _, row := range w.deleted {
		c.deleted[row] = w.position
	}
	for _, t := range w.truncated {
		c.truncated[t.FullName()] = w.position
	}
}

// gone tells whether a row that was copied under a snapshot was deleted since.
func (c *copies) gone(t *table, key string, position uint64) bool {
	return c.deleted[rowKey{t.FullName(), key}] > position || c.truncated[t.FullName()] > position
}

func (c *copies) job(name string) *copyJob {
	for _, j := range c.jobs {
		if j.state.name == name {
			return j
		}
	}
	return nil
}

// takeCopy writes what a copy has read: how it is laid out, or rows.
func (s *session) takeCopy(ctx context.Context, w *work) error {
	if w.layout != nil {
		return s.takeLayout(ctx, w.layout)
	}
	find := s.rereads
	if w.shared {
		if err := s.settleTable(ctx, w, w.copied, w.asked); err != nil {
			return err
		}
		find = func(context.Context, *work) (replica.Missing, error) { return nil, nil } // they are as they are now
	}
	w.batch.Drop(func(_ record.Kind, key string) bool { return s.copies.gone(w.copied, key, w.position) })
	if err := s.apply(ctx, w, find); err != nil {
		return err
	}
	s.counted(w)
	if len(w.done) > 0 {
		s.copies.job(w.copied.FullName()).left -= len(w.done)
	}
	if w.shared {
		j := s.copies.job(w.copied.FullName())
		j.shared, j.state.shared = false, true
	}
	return nil
}

// rereads are the copied rows that are no records. As they are now they decide: the log may have brought a later
// version already.
func (s *session) rereads(_ context.Context, w *work) (replica.Missing, error) {
	missing := replica.Missing{}
	var kept []reject
	for _, r := range w.rejects {
		if w.copied.encoding.canAskFor(r.key) {
			missing[r.record] = append(missing[r.record], r.key)
			continue
		}
		r.position, r.at = w.position, w.at
		s.rejects.add(r.rowKey)
		w.count(w.copied).rejected++
		kept = append(kept, r)
	}
	w.rejects = kept
	return missing, nil
}

// takeLayout notes the chunks of a table's copy and the snapshot that it is read from.
func (s *session) takeLayout(ctx context.Context, l *copyLayout) error {
	j := l.job
	next := *j.state
	next.snapshot = l.snapshot
	if l.fresh {
		next.files, next.shared, next.counts.copied = l.files, false, 0
	}
	if l.floor > 0 {
		next.floor = l.floor
	}
	err := s.target.do(ctx, func(ctx context.Context, _ *replica.Writer, store *store) error {
		if l.fresh {
			if err := store.saveChunks(ctx, &next, j.chunks...); err != nil {
				return err
			}
		}
		return store.saveTables(ctx, &next)
	})
	if err != nil {
		return err
	}
	*j.state = next
	j.laid = true
	if s.copies.doneBefore += len(j.chunks) - j.left; s.copies.began.IsZero() {
		s.copies.began = time.Now()
	}
	close(l.noted)
	return nil
}

// sweep ends the copies whose rows are all there: what the source did not have any more is deleted. The log must have
// been taken up to the snapshot by then.
func (s *session) sweep(ctx context.Context) error {
	open := false
	for _, j := range s.copies.jobs {
		if j.state.state == copying && j.laid && j.left == 0 && !j.shared {
			j.state.state = sweeping
			s.changed[j.state.name] = true
		}
		if j.state.state == sweeping && s.state.source.position(s.taken) >= j.state.snapshot {
			if err := s.sweepTable(ctx, j); err != nil {
				return err
			}
		}
		open = open || j.state.state != following
	}
	if open {
		return nil
	}
	s.copies = nil
	s.Log.Info("every table was copied")
	return s.settle(ctx, true)
}

func (s *session) sweepTable(ctx context.Context, j *copyJob) error {
	next := *j.state
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
		resolved := newWork()
		resolved.position, resolved.at = next.snapshot, time.Now()
		for _, row := range gone {
			s.rejects.resolve(resolved, row)
		}
		if err := store.saveRejects(ctx, resolved.rejects); err != nil {
			return err
		}
		if err := s.compute(ctx, w); err != nil { // a copy is complete when its cells are right
			return err
		}
		if err := store.saveTables(ctx, &next); err != nil {
			return err
		}
		*j.state = next
		s.Log.Info("copied", "table", next.name, "rows", next.counts.copied, "deleted", deleted)
		return nil
	})
}
