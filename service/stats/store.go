package stats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

// Store answers questions from ClickHouse.
type Store struct {
	// Few is about how many messages a window may have to be answered from the messages alone; some times as many when
	// it is asked about users. 0: none. NewStore sets DefaultFew.
	Few uint64

	conn   clickhouse.Conn
	limits clickhouse.Limits
	states *states
	users  userNumbers
	admit  Admit // nil: every question is worked on at once
}

// NewStore makes a store that asks over the pool, each statement within the limits.
func NewStore(conn clickhouse.Conn, limits clickhouse.Limits) *Store {
	return &Store{Few: DefaultFew, conn: conn, limits: limits, states: newStates(), users: newUserNumbers()}
}

// attempts is how often an answer is tried while the loader keeps changing the organization, before the messages alone
// are asked, which one statement reads as they were at one moment.
const attempts = 3

// Answer gives the figures. It fails with ErrTimeout when they take longer than the limits allow, with ErrUnavailable
// when ClickHouse can't be asked, and with the context's error when the caller gave up; the statement is stopped then.
//
// Cells, messages and files are read one after the other, and the loader may write in between. So the organization's
// state is read before, and its change counter once all of them are being read: when nothing has begun to change, what
// is read belongs together.
func (s *Store) Answer(ctx context.Context, q Question) (Figures, error) {
	leave, err := s.enter(ctx, q.OrgID)
	if err != nil {
		return Figures{}, err
	}
	defer leave()
	ctx, cancel := s.statement(ctx)
	defer cancel()
	before, err := s.states.before(ctx, s.conn, q.OrgID)
	if err != nil {
		return Figures{}, classify(err)
	}
	f, _, err := s.answer(ctx, q, before)
	return f, classify(err)
}

// answerAt is Answer, and tells the organization's change counter that the figures belong to: they are right for as
// long as the counter stays. It is 0 when they belong to no counter, because something was being written.
func (s *Store) answerAt(ctx context.Context, q Question) (f Figures, counter uint64, err error) {
	leave, err := s.enter(ctx, q.OrgID)
	if err != nil {
		return Figures{}, 0, err
	}
	defer leave()
	ctx, cancel := s.statement(ctx)
	defer cancel()
	before, err := s.states.read(ctx, s.conn, q.OrgID)
	if err == nil {
		f, counter, err = s.answer(ctx, q, before)
	}
	if counter%2 == 1 {
		counter = 0
	}
	return f, counter, classify(err)
}

// answer answers by the plan that the state allows, and again when the state has changed meanwhile.
func (s *Store) answer(ctx context.Context, q Question, before state) (f Figures, counter uint64, err error) {
	for range attempts {
		plan, err := s.plan(ctx, q, before)
		if err != nil {
			return Figures{}, 0, err
		}
		var unchanged bool
		f, err = s.run(planned(ctx, plan.Kind()), plan.Queries(), func(ctx context.Context) (err error) {
			unchanged, err = s.unchanged(ctx, q.OrgID, before)
			return err
		})
		if err != nil || unchanged {
			return f, before.counter, err
		}
		if before, err = s.states.read(ctx, s.conn, q.OrgID); err != nil {
			return Figures{}, 0, err
		}
	}
	f, err = s.Run(planned(ctx, KindRaw), PlainQuery(q))
	return f, 0, err
}

// counter is the organization's change counter.
func (s *Store) counter(ctx context.Context, orgID string) (uint64, error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	counter, err := readCounter(ctx, s.conn, orgID)
	return counter, classify(err)
}

// unchanged tells whether nothing of the organization has begun to change since the state was read.
func (s *Store) unchanged(ctx context.Context, orgID string, before state) (bool, error) {
	counter, err := readCounter(ctx, s.conn, orgID)
	return counter == before.counter, err
}

// Plan gives the plan that a question would be answered by now.
func (s *Store) Plan(ctx context.Context, q Question) (Plan, error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	now, err := s.states.read(ctx, s.conn, q.OrgID)
	if err != nil {
		return Plan{}, classify(err)
	}
	plan, err := s.plan(ctx, q, now)
	return plan, classify(err)
}

// plan makes the plan that a state allows.
func (s *Store) plan(ctx context.Context, q Question, now state) (plan Plan, err error) {
	plan = newPlan(q, now, s.Few)
	plan.UserNo, err = s.users.number(ctx, s.conn, plan)
	return plan, err
}

// statement is the context of the statements of one answer.
func (s *Store) statement(ctx context.Context) (context.Context, context.CancelFunc) {
	return clickhouse.With(ctx, clickhouse.Statement{
		Comment: "orgstats request " + RequestID(ctx), Limits: s.limits, Settings: prioritySettings(ctx),
	})
}

// Ping tells whether ClickHouse answers.
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

// Admit waits until a question of the organization may be worked on, or refuses it. Leave must be called when the
// question is done with.
type Admit func(ctx context.Context, orgID string) (leave func(), err error)

// AdmitWith lets a store ask before it works on a question. Its errors are Answer's.
func (s *Store) AdmitWith(admit Admit) { s.admit = admit }

// enter waits for admission, if there is any, and notes how long that took.
func (s *Store) enter(ctx context.Context, orgID string) (leave func(), err error) {
	if s.admit == nil {
		return func() {}, nil
	}
	asked := time.Now()
	leave, err = s.admit(ctx, orgID)
	accountOf(ctx).note(func(c *Costs) { c.Waited += time.Since(asked) })
	return leave, err
}

// Run runs the queries of a plan, or the plain query, and gives the figures.
func (s *Store) Run(ctx context.Context, queries ...Query) (Figures, error) {
	return s.run(ctx, queries, func(context.Context) error { return nil })
}

// run runs the queries and calls begun once ClickHouse has begun all of them, while they are under way: what each reads
// is settled then, because ClickHouse sends the names of the columns when it has chosen the parts to read, and parts
// never change.
func (s *Store) run(ctx context.Context, queries []Query, begun func(context.Context) error) (f Figures, err error) {
	var beginning sync.WaitGroup
	beginning.Add(len(queries))
	all, ctx := errgroup.WithContext(ctx)
	for _, query := range queries {
		all.Go(func() error {
			row := s.conn.QueryRow(clickhouse.WithParams(ctx, query.Params), query.SQL)
			beginning.Done()
			return row.ScanStruct(&f) // queries side by side have other columns
		})
	}
	all.Go(func() error {
		beginning.Wait()
		return begun(ctx)
	})
	err = all.Wait()
	f.TotalFeedback = f.TotalHelpful + f.TotalNotHelpful
	return f, err
}
