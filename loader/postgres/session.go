package postgres

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"
)

// session is the following of the source over one set of connections. It ends when one of them fails.
type session struct {
	*replicator
	wal     *pgconn.PgConn // carries the log
	catalog *catalog
	tables  []*table
	stream  *stream
	queue   *queue
	copies  *copies // of tables, while there are any

	taken       pglogrepl.LSN // up to here everything is written
	committedAt time.Time
	saved       time.Time        // when that was last noted and confirmed
	computed    time.Time        // when cells were computed last,
	computing   time.Duration    // and how long that took
	changed     map[string]bool  // tables whose counts are not noted yet
	seen        map[uint32]files // of partitioned tables, when they were looked at last
	busy        bool             // batches come as fast as they can be written
}

// steady is how long a session must have lasted to be more than another attempt.
const steady = 15 * time.Second

// session follows the source until something fails or the context ends.
func (r *replicator) session(ctx context.Context) error {
	s := &session{replicator: r, changed: map[string]bool{}, seen: map[uint32]files{}, computed: time.Now()}
	conn, err := connect(ctx, r.URL)
	if err != nil {
		return err
	}
	defer closeQuietly(conn)
	s.catalog = &catalog{conn: conn}
	if s.wal, err = connectWAL(ctx, r.URL); err != nil {
		return err
	}
	defer closeQuietly(s.wal)
	if err := r.load(ctx); err != nil {
		return err
	}
	if !r.met {
		if err := s.preflight(ctx, conn); err != nil {
			return err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	r.met = true
	return s.run(ctx)
}

// prepare makes sure that everything is there to follow: tables, publication, slot, and the state of each.
func (s *session) prepare(ctx context.Context) error {
	now, err := identify(ctx, s.wal)
	if err != nil {
		return err
	}
	if err := s.sameCluster(now); err != nil {
		return err
	}
	problems, err := s.bindTables(ctx)
	if err != nil {
		return err
	}
	problems = slices.DeleteFunc(problems, s.passing)
	if len(problems) == 0 {
		problems, err = s.preparePublication(ctx)
	}
	problems = slices.DeleteFunc(problems, s.passing)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return joinProblems(problems)
	}
	for _, t := range s.tables {
		if t.shared && !s.met {
			s.Log.Info(t.sharedNote())
		}
	}
	if err := s.prepareSlot(ctx, now); err != nil {
		return err
	}
	return s.prepareTables(ctx, now)
}

func joinProblems(problems []Problem) error {
	all := make([]error, len(problems))
	for i, p := range problems {
		all[i] = p
	}
	return errors.Join(all...)
}

// run moves changes from the source to the target.
func (s *session) run(ctx context.Context) error {
	s.taken, s.saved = s.state.source.confirmed, time.Now()
	s.committedAt = s.state.source.committedAt
	s.queue = newQueue(limits{rows: s.BatchRows, time: s.BatchTime})
	every, err := s.catalog.feedbackTime(ctx)
	if err != nil {
		return err
	}
	s.stream = &stream{
		conn: s.wal, catalog: s.catalog, tables: s.tables, queue: s.queue, rejects: s.rejects,
		base: s.state.source.base, after: s.state.source.confirmed, every: every, floors: s.state.floors(),
	}
	if s.copies, err = s.newCopies(ctx); err != nil {
		return err
	}
	if err := s.stream.start(ctx, s.Slot, s.Publication); err != nil {
		return err
	}
	s.Monitor.connected(s)
	defer s.Monitor.disconnected()
	s.Log.Info("following PostgreSQL", "slot", s.Slot, "from", s.stream.after)
	tasks, ctx := errgroup.WithContext(ctx)
	// What the log has brought is written before its failure ends the session.
	tasks.Go(func() error { s.queue.end(s.stream.run(ctx)); return nil })
	tasks.Go(func() error { s.queue.end(s.stream.feedback(ctx)); return nil })
	tasks.Go(func() error { s.queue.end(s.watch(ctx)); return nil })
	if copies := s.copies; copies != nil {
		tasks.Go(func() error { return copies.run(ctx) })
	}
	tasks.Go(func() error { return s.write(ctx) })
	began := time.Now()
	err = tasks.Wait()
	if time.Since(began) > steady && s.queue.oldest().IsZero() {
		s.alive = time.Now() // there was nothing to get on with
	}
	_ = s.stream.tell(false) // what was settled last, if the connection still stands
	return err
}

// bindTables finds the mapped tables in the source.
func (s *session) bindTables(ctx context.Context) (problems []Problem, err error) {
	s.tables, problems, err = bindAll(ctx, s.catalog, s.Mapping)
	return problems, err
}
