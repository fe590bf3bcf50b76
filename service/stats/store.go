package stats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

// Options say how a store asks ClickHouse.
type Options struct {
	Limits clickhouse.Limits // of every statement

	// SmallWindow is about how many messages a window may have to be answered from the messages alone; some times as
	// many when it is asked about users. 0: none.
	SmallWindow uint64

	// Admit waits until a question of the organization may be worked on, or refuses it with an error that becomes
	// Answer's. Leave is called when the question is done with. Nil admits every question at once.
	Admit func(ctx context.Context, orgID string) (leave func(), err error)

	Tracer  trace.Tracer        // makes the statements' spans; nil makes none
	Observe clickhouse.Observer // is called for every statement; may be nil
}

// Store answers questions from ClickHouse.
type Store struct {
	options Options
	conn    clickhouse.Conn
	queries clickhouse.Observed
	states  *states
	users   userNumbers
}

// NewStore returns a store that asks over the pool.
func NewStore(conn clickhouse.Conn, o Options) *Store {
	return &Store{
		options: o, conn: conn, queries: clickhouse.NewObserved(conn, o.Tracer, o.Observe),
		states: newStates(), users: newUserNumbers(),
	}
}

// session works on one request.
type session struct {
	*Store
	Request
}

// attempts is how often an answer is tried while the loader keeps changing the organization, before the messages alone
// are asked, which one statement reads as they were at one moment.
const attempts = 3

// Answer answers the request's question. It fails with ErrTimeout when that takes longer than the limits allow, with
// ErrUnavailable when ClickHouse can't be asked, and with the context's error when the caller left; the statement is
// stopped then.
func (s *Store) Answer(ctx context.Context, r Request) (Answer, error) {
	a, _, err := s.answerWith(ctx, r, session.knownOrRead)
	return a, err
}

// answerCounted is Answer, and returns the organization's change counter that the answer belongs to: it is right for as
// long as the counter stays. The counter is 0 when it belongs to none, because something was being written.
func (s *Store) answerCounted(ctx context.Context, r Request) (a Answer, counter uint64, err error) {
	a, counter, err = s.answerWith(ctx, r, session.readState)
	if counter%2 == 1 {
		counter = 0
	}
	return a, counter, err
}

// answerWith answers by the plan that the organization's state allows.
//
// Cells, messages and files are read one after the other, and the loader may write in between. So the state is read
// before, and the change counter once all of them are being read: when nothing has begun to change, what is read
// belongs together.
func (s *Store) answerWith(
	ctx context.Context, r Request, readState func(session, context.Context) (state, error),
) (a Answer, counter uint64, err error) {
	leave, err := s.enter(ctx, r)
	if err != nil {
		return Answer{}, 0, err
	}
	defer leave()
	ctx, cancel := s.statement(ctx, r)
	defer cancel()
	session := session{s, r}
	before, err := readState(session, ctx)
	if err == nil {
		a, counter, err = session.answer(ctx, before)
	}
	return a, counter, classify(err)
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

// answer answers by the plan that the state allows, and again when the state has changed meanwhile.
func (s session) answer(ctx context.Context, before state) (a Answer, counter uint64, err error) {
	for range attempts {
		plan, err := s.plan(ctx, before)
		if err != nil {
			return Answer{}, 0, err
		}
		var unchanged bool
		a, err = s.run(ctx, plan.Queries(), func(ctx context.Context) error {
			now, err := s.readCounter(ctx)
			unchanged = now == before.counter
			return err
		})
		if err != nil || unchanged {
			return a, before.counter, err
		}
		if before, err = s.readState(ctx); err != nil {
			return Answer{}, 0, err
		}
	}
	a, err = s.run(ctx, []clickhouse.Query{PlainQuery(s.Question)}, nil)
	return a, 0, err
}

// run runs the queries of an answer and calls begun, which may be nil, once ClickHouse has begun all of them, while
// they are under way: what each reads is settled then, because ClickHouse sends the names of the columns when it has
// chosen the parts to read, and parts never change.
func (s session) run(ctx context.Context, queries []clickhouse.Query, begun func(context.Context) error) (Answer, error) {
	s.Cost.add(func(c *Costs) { c.Plan = queries[0].Name })
	results := make([][]Row, len(queries))
	var beginning sync.WaitGroup
	beginning.Add(len(queries))
	all, ctx := errgroup.WithContext(ctx)
	for i, query := range queries {
		all.Go(func() (err error) {
			rows, err := s.query(ctx, query)
			beginning.Done()
			results[i], err = collect[Row](rows, err)
			return err
		})
	}
	if begun != nil {
		all.Go(func() error {
			beginning.Wait()
			return begun(ctx)
		})
	}
	if err := all.Wait(); err != nil {
		return Answer{}, err
	}
	return merge(results), nil
}

// merge joins the rows of an answer's queries, each of which has other figures, by their groups.
func merge(results [][]Row) Answer {
	groups := map[Group]*Figures{}
	for _, rows := range results {
		for _, row := range rows {
			if known := groups[row.Group]; known != nil {
				known.add(row.Figures)
			} else {
				groups[row.Group] = &row.Figures
			}
		}
	}
	var a Answer
	for group, figures := range groups {
		figures.TotalFeedback = figures.TotalHelpful + figures.TotalNotHelpful
		a.Rows = append(a.Rows, Row{group, *figures})
	}
	slices.SortFunc(a.Rows, func(x, y Row) int {
		return cmp.Or(cmp.Compare(x.Start, y.Start), cmp.Compare(x.Value, y.Value))
	})
	return a
}

// query runs a query of the request.
func (s session) query(ctx context.Context, q clickhouse.Query) (clickhouse.Rows, error) {
	return s.queries.Query(ctx, q, s.Cost.addStatement)
}

// collect reads all rows of a query into values whose fields are named like the columns by their tags ch.
func collect[T any](rows clickhouse.Rows, err error) (values []T, _ error) {
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var value T
		if err := rows.ScanStruct(&value); err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, rows.Err()
}

// Run runs the queries of a plan, or the plain query, and returns their answer.
func (s *Store) Run(ctx context.Context, queries ...clickhouse.Query) (Answer, error) {
	return session{Store: s}.run(ctx, queries, nil)
}

// counter returns the organization's change counter.
func (s *Store) counter(ctx context.Context, r Request) (uint64, error) {
	ctx, cancel := s.statement(ctx, r)
	defer cancel()
	counter, err := session{s, r}.readCounter(ctx)
	return counter, classify(err)
}

// Plan returns the plan that a question would be answered by now.
func (s *Store) Plan(ctx context.Context, q Question) (Plan, error) {
	r := Request{Question: q}
	ctx, cancel := s.statement(ctx, r)
	defer cancel()
	session := session{s, r}
	now, err := session.readState(ctx)
	if err != nil {
		return Plan{}, classify(err)
	}
	plan, err := session.plan(ctx, now)
	return plan, classify(err)
}

// plan makes the plan that a state allows.
func (s session) plan(ctx context.Context, now state) (plan Plan, err error) {
	plan = newPlan(s.Question, now, s.options.SmallWindow)
	plan.UserNo, err = s.userNumber(ctx, plan)
	return plan, err
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
