package postgres

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/loader/postgres/snapshot"
	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
)

// session is the following of the source over one set of connections. It ends when one of them fails.
type session struct {
	*replicator
	wal     *pgconn.PgConn // carries the WAL
	catalog *source.Catalog
	tables  []*source.Table
	stream  *wal.Stream
	queue   *wal.Queue
	copies  *snapshot.Copies // of tables, while there are any

	written     pglogrepl.LSN // up to here everything is written
	committedAt time.Time
	saved       time.Time               // when that was last noted and confirmed
	computed    time.Time               // when cells were computed last,
	computing   time.Duration           // and how long that took
	changed     map[string]bool         // tables whose counts are not noted yet
	seen        map[uint32]source.Files // of partitioned tables, when they were looked at last
	busy        bool                    // batches come as fast as they can be written
	progress    progress
}

// steady is how long a session must have lasted to be more than another attempt.
const steady = 15 * time.Second

// session follows the source until something fails or the context ends.
func (r *replicator) session(ctx context.Context) error {
	s := &session{replicator: r, changed: map[string]bool{}, seen: map[uint32]source.Files{}, computed: time.Now()}
	conn, err := source.Connect(ctx, r.URL)
	if err != nil {
		return err
	}
	defer source.CloseQuietly(conn)
	s.catalog = source.NewCatalog(conn)
	if s.wal, err = source.ConnectWAL(ctx, r.URL); err != nil {
		return err
	}
	defer source.CloseQuietly(s.wal)
	if err := r.load(ctx); err != nil {
		return err
	}
	if !r.connected {
		if err := s.preflight(ctx, conn); err != nil {
			return err
		}
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	r.connected = true
	return s.run(ctx)
}

// prepare makes sure that everything is there to follow: tables, publication, slot, and the state of each.
func (s *session) prepare(ctx context.Context) error {
	now, err := wal.Identify(ctx, s.wal)
	if err != nil {
		return err
	}
	if at := &s.state.source; s.resumes() && now.System != at.system {
		return brokenf("this is another PostgreSQL cluster (%s) than was replicated (%s)", now.System, at.system)
	}
	var problems []source.Problem
	if s.tables, problems, err = source.BindAll(ctx, s.catalog, s.Mapping); err != nil {
		return err
	}
	if problems = slices.DeleteFunc(problems, s.mayPostdateLog); len(problems) == 0 {
		if problems, err = s.preparePublication(ctx); err != nil {
			return err
		}
	}
	if problems = slices.DeleteFunc(problems, s.mayPostdateLog); len(problems) > 0 {
		return source.JoinProblems(problems)
	}
	for _, t := range s.tables {
		if t.SharesRecords && !s.connected {
			s.Log.Info(t.SharedNote())
		}
	}
	if err := s.prepareSlot(ctx, now); err != nil {
		return err
	}
	return s.prepareTables(ctx, now)
}

// run moves changes from the source to the target.
func (s *session) run(ctx context.Context) error {
	s.written, s.saved = s.state.source.confirmed, time.Now()
	s.committedAt = s.state.source.committedAt
	s.queue = wal.NewQueue(s.BatchRows, s.BatchTime)
	every, err := s.catalog.FeedbackInterval(ctx)
	if err != nil {
		return err
	}
	s.stream = &wal.Stream{
		Conn: s.wal, Catalog: s.catalog, Tables: s.tables, Queue: s.queue, Rejects: s.rejects,
		Base: s.state.source.base, StartLSN: s.state.source.confirmed, FeedbackInterval: every, Floors: s.state.floors(),
	}
	if s.copies, err = s.prepareCopies(ctx); err != nil {
		return err
	}
	if err := s.stream.Start(ctx, s.Slot, s.Publication); err != nil {
		return err
	}
	s.Monitor.connected(s)
	defer s.Monitor.disconnected()
	s.Log.Info("following PostgreSQL", "slot", s.Slot, "from", s.stream.StartLSN)
	tasks, ctx := errgroup.WithContext(ctx)
	// What was read of the WAL is written before its failure ends the session.
	tasks.Go(func() error { s.queue.Close(s.stream.Run(ctx)); return nil })
	tasks.Go(func() error { s.queue.Close(s.stream.SendFeedback(ctx)); return nil })
	tasks.Go(func() error { s.queue.Close(s.watch(ctx)); return nil })
	if copies := s.copies; copies != nil {
		tasks.Go(func() error { return copies.Run(ctx) })
	}
	tasks.Go(func() error { return s.write(ctx) })
	began := time.Now()
	err = tasks.Wait()
	if time.Since(began) > steady && s.queue.Oldest().IsZero() {
		s.progressAt = time.Now() // there was nothing to get on with
	}
	_ = s.stream.SendStatus(false) // what was settled last, if the connection still stands
	return err
}
