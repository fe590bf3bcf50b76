package stats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

// Options say how a store asks ClickHouse, and what it keeps.
type Options struct {
	Limits clickhouse.Limits // of every statement

	// Memory is how many bytes of buckets and records are kept. 0 keeps nothing.
	Memory int64

	// MaxAge is how long after a change of an organization an answer from before may still be returned: the log of
	// changes is read when it was last read longer ago than this.
	MaxAge time.Duration

	// Admit waits until something of the organization may be fetched, or refuses it with an error that becomes
	// Answer's. Leave is called when that is done. Nil admits all at once. Answers from memory need no admission.
	Admit func(ctx context.Context, orgID string) (leave func(), err error)

	Tracer  trace.Tracer        // makes the statements' spans; nil makes none
	Observe clickhouse.Observer // is called for every statement; may be nil
}

// Store answers questions from memory, and fetches from ClickHouse what is not there.
//
// Equal questions that arrive together are fetched for once. A question names its organization and everything that
// limits what is seen of it, so that no answer is returned for another question.
type Store struct {
	options Options
	conn    clickhouse.Conn
	queries clickhouse.Observed
	memory  *memory
	changes *changeLog
	asking  sharedCalls[Question, Answer]
	fetches atomic.Uint64
}

// NewStore returns a store that asks over the pool.
func NewStore(conn clickhouse.Conn, o Options) *Store {
	s := &Store{options: o, conn: conn, queries: clickhouse.NewObserved(conn, o.Tracer, o.Observe), memory: newMemory(o.Memory)}
	s.changes = newChangeLog(s.memory)
	s.asking.joinable = o.MaxAge
	return s
}

// Memory says what is in memory.
func (s *Store) Memory() MemoryUse { return s.memory.use() }

// ChangesAge returns how long ago the log of changes was read, 0 if it never was.
func (s *Store) ChangesAge() time.Duration { return s.changes.age() }

// Fetches returns how often something was fetched for an answer.
func (s *Store) Fetches() uint64 { return s.fetches.Load() }

// session works on one request.
type session struct {
	*Store
	Request
}

// Answer answers the request's question. It fails with ErrTimeout when that takes longer than the limits allow, with
// ErrUnavailable when ClickHouse can't be asked, and with the context's error when the caller left; the statement is
// stopped then.
func (s *Store) Answer(ctx context.Context, r Request) (Answer, error) {
	if len(r.windows()) == 0 {
		return newTally(r.Question).answer() // no record can be in the window
	}
	arrived := time.Now()
	r.Cost.setFilter(r.Filter.kind())
	if r.Grouping.isPlanned() {
		if a, ok, err := (session{s, r}).fromMemory(ctx, arrived); ok || err != nil {
			return a, classify(err)
		}
	}
	r.Cost.setCache(CacheShared) // unless it is this request's own call
	return s.asking.do(ctx, r.Question, func(ctx context.Context) (Answer, error) {
		r.Cost.setCache(CacheMiss)
		leave, err := s.enter(ctx, r)
		if err != nil {
			return Answer{}, err
		}
		defer leave()
		ctx, cancel := s.statement(ctx, r)
		defer cancel()
		a, err := session{s, r}.answer(ctx)
		return a, classify(err)
	})
}

// fromMemory answers from memory alone, if everything is there.
func (s session) fromMemory(ctx context.Context, arrived time.Time) (a Answer, ok bool, err error) {
	if oldest := arrived.Add(-s.options.MaxAge); !s.changes.since(oldest) {
		ctx, cancel := s.statement(ctx, s.Request)
		defer cancel()
		if err := s.changes.follow(ctx, s, oldest); err != nil {
			return Answer{}, false, err
		}
	}
	p := s.memory.plan(s.Question)
	if !p.complete() {
		s.memory.end(p)
		return Answer{}, false, nil
	}
	a, err = s.compose(p, &fetched{})
	if errors.Is(err, errUnknownAgent) {
		s.memory.forgetAgents(p.org)
		return Answer{}, false, nil
	}
	s.Cost.setCache(CacheHit)
	return a, true, err
}

// enter waits for admission, if there is any, and measures how long that took.
func (s *Store) enter(ctx context.Context, r Request) (leave func(), err error) {
	if s.options.Admit == nil {
		return func() {}, nil
	}
	asked := time.Now()
	leave, err = s.options.Admit(ctx, r.OrgID)
	r.Cost.add(func(c *Costs) { c.Waited += time.Since(asked) })
	return leave, err
}

// attempts is how often something is fetched while the loader keeps changing it, before the plain query is asked,
// which one statement reads as it is at one moment.
const attempts = 4

// answer fetches what is not in memory, again when that has changed meanwhile, and answers.
//
// Everything that a plan uses must be right at one moment: what memory holds is, until the log of changes says
// otherwise, and what is fetched is as well if the log, read once all statements have begun, announces no change of
// it. What is being written can be read at that one moment only by one statement.
func (s session) answer(ctx context.Context) (Answer, error) {
	if !s.Grouping.isPlanned() {
		return s.plain(ctx)
	}
	began := time.Now()
	o := s.memory.pin(s.OrgID)
	defer s.memory.unpin(o)
	for range attempts {
		a, err := s.attempt(ctx, began)
		switch {
		case errors.Is(err, errUnknownAgent):
			s.memory.forgetAgents(o)
		case errors.Is(err, errPlain), errors.Is(err, errUnknownUser):
			return s.plain(ctx)
		case !errors.Is(err, errChanged):
			return a, err
		}
	}
	return s.plain(ctx)
}

var (
	errChanged = errors.New("what was fetched has changed meanwhile")
	errPlain   = errors.New("only the plain query can answer")
)

// attempt plans the question, fetches what the plan lacks, and answers if that is still right. It fails with errChanged
// otherwise.
func (s session) attempt(ctx context.Context, began time.Time) (Answer, error) {
	p := s.memory.plan(s.Question)
	for p.complete() && !p.plain {
		if s.changes.since(began) {
			return s.compose(p, &fetched{})
		}
		// Somebody else has fetched it, and callers may have come since.
		if err := s.changes.follow(ctx, s, began); err != nil {
			return Answer{}, err
		}
		p = s.memory.plan(s.Question)
	}
	if p.plain {
		s.memory.end(p)
		return Answer{}, errPlain
	}
	f, err := s.fetch(ctx, p)
	if clickhouse.IsTooManyRows(err) {
		if p.messages.key.by.ofUsers() {
			return Answer{}, errPlain
		}
		s.memory.tooLarge(p)
		return Answer{}, errChanged
	}
	if err != nil {
		return Answer{}, err
	}
	right, err := s.memory.keep(p, f)
	if err != nil {
		return Answer{}, err
	}
	if !right {
		return Answer{}, errChanged
	}
	return s.compose(p, f)
}

// compose puts an answer together from what a plan has and what was fetched for it.
func (s session) compose(p *plan, f *fetched) (Answer, error) {
	a, err := p.answer(f)
	if err == nil {
		s.memory.keepCounted(p)
	}
	return a, err
}

// fetch reads what a plan lacks, and the log of changes once all statements have begun. A plan whose fetch fails has
// ended.
func (s session) fetch(ctx context.Context, p *plan) (*fetched, error) {
	s.fetches.Add(1)
	f := &fetched{}
	err := s.run(ctx, p.statements(f), func(ctx context.Context) error { return s.changes.follow(ctx, s, time.Now()) })
	if err != nil {
		s.memory.end(p)
		return nil, err
	}
	f.messages.finish()
	return f, nil
}

// run runs statements and calls begun once ClickHouse has begun all of them, while they are under way: what each reads
// is settled then, because ClickHouse sends the names of the columns when it has chosen the parts to read, and parts
// never change.
func (s session) run(ctx context.Context, statements []statement, begun func(context.Context) error) error {
	var beginning sync.WaitGroup
	beginning.Add(len(statements))
	all, ctx := errgroup.WithContext(ctx)
	for _, statement := range statements {
		all.Go(func() error {
			rows, err := s.query(ctx, statement.Query)
			beginning.Done()
			if err != nil {
				return err
			}
			return clickhouse.EachRow(rows, statement.row)
		})
	}
	all.Go(func() error {
		beginning.Wait()
		return begun(ctx)
	})
	return all.Wait()
}

// each runs a query and calls a function for each of its rows.
func (s session) each(ctx context.Context, q clickhouse.Query, row func(clickhouse.Scan) error) error {
	rows, err := s.query(ctx, q)
	if err != nil {
		return err
	}
	return clickhouse.EachRow(rows, row)
}

// query runs a query of the request.
func (s session) query(ctx context.Context, q clickhouse.Query) (clickhouse.Rows, error) {
	return s.queries.Query(ctx, q, s.Cost.addStatement)
}

// Plain answers a question by the plain query, which every other answer is compared with.
func (s *Store) Plain(ctx context.Context, q Question) (Answer, error) {
	return session{s, Request{Question: q}}.plain(ctx)
}

// statement returns the context of the statements of one request.
func (s *Store) statement(ctx context.Context, r Request) (context.Context, context.CancelFunc) {
	return clickhouse.WithStatement(ctx, clickhouse.Statement{
		Comment: "orgstats request " + r.ID, Limits: s.options.Limits, Settings: r.Priority.settings(),
	})
}

// Ping returns an error when ClickHouse does not answer.
func (s *Store) Ping(ctx context.Context) error { return classify(s.conn.Ping(ctx)) }

func classify(err error) error {
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case clickhouse.IsTimeout(err):
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	case clickhouse.IsUnavailable(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
