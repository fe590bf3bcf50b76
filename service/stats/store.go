package stats

import (
	"context"
	"errors"
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
)

// Store answers questions from ClickHouse.
type Store struct {
	conn   clickhouse.Conn
	limits clickhouse.Limits
	states *states
}

// NewStore makes a store that asks over the pool, each statement within the limits.
func NewStore(conn clickhouse.Conn, limits clickhouse.Limits) *Store {
	return &Store{conn, limits, newStates()}
}

// attempts is how often an answer is tried while the loader keeps changing the organisation, before the messages alone are
// asked, which one statement reads as they were at one moment.
const attempts = 3

// Answer gives the figures. It fails with ErrTimeout when they take longer than the limits allow, with ErrUnavailable
// when ClickHouse can't be asked, and with the context's error when the caller gave up; the statement is stopped then.
//
// Cells and messages are read one after the other, and the loader may write in between. So the organisation's state is
// read before and after: when nothing has begun to change, what was read belongs together.
func (s *Store) Answer(ctx context.Context, q Question) (Figures, error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	f, err := s.answer(ctx, q)
	return f, classify(err)
}

func (s *Store) answer(ctx context.Context, q Question) (Figures, error) {
	if newPlan(q, state{}).Plain() { // too short for any bucket, whatever is stale
		return s.Run(ctx, PlainQuery(q))
	}
	before, err := s.states.before(ctx, s.conn, q.OrgID)
	if err != nil {
		return Figures{}, err
	}
	for range attempts {
		plan := newPlan(q, before)
		if plan.Plain() {
			break
		}
		f, err := s.Run(ctx, plan.Query())
		if err != nil {
			return Figures{}, err
		}
		after, err := s.states.read(ctx, s.conn, q.OrgID)
		if err != nil {
			return Figures{}, err
		}
		if after.counter == before.counter {
			return f, nil
		}
		before = after
	}
	return s.Run(ctx, PlainQuery(q))
}

// Plan gives the plan that a question would be answered by now.
func (s *Store) Plan(ctx context.Context, q Question) (Plan, error) {
	ctx, cancel := s.statement(ctx)
	defer cancel()
	now, err := s.states.read(ctx, s.conn, q.OrgID)
	return newPlan(q, now), classify(err)
}

// statement is the context of the statements of one answer.
func (s *Store) statement(ctx context.Context) (context.Context, context.CancelFunc) {
	return clickhouse.With(ctx, clickhouse.Statement{
		Comment: "orgstats request " + RequestID(ctx), Limits: s.limits, Settings: querySettings,
	})
}

// querySettings make small statements start fast.
var querySettings = map[string]any{}

// Run runs a query for figures.
func (s *Store) Run(ctx context.Context, query Query) (Figures, error) {
	var f Figures
	err := s.conn.QueryRow(clickhouse.WithParams(ctx, query.Params), query.SQL).Scan(
		&f.ConversationCount, &f.MessageCount, &f.ToolCalls, &f.TotalTokens, &f.InputTokens, &f.OutputTokens, &f.UniqueUsers,
		&f.UniqueAgents, &f.TotalFeedback, &f.TotalHelpful, &f.TotalNotHelpful,
		&f.KBFileCount, &f.KBCount, &f.KBExtractTotalTokens, &f.KBExtractInputTokens, &f.KBExtractOutputTokens)
	return f, err
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
