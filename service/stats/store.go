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
}

// NewStore makes a store that asks over the pool, each statement within the limits.
func NewStore(conn clickhouse.Conn, limits clickhouse.Limits) *Store { return &Store{conn, limits} }

// Answer gives the figures. It fails with ErrTimeout when they take longer than the limits allow, with ErrUnavailable
// when ClickHouse can't be asked, and with the context's error when the caller gave up; the statement is stopped then.
func (s *Store) Answer(ctx context.Context, q Question) (Figures, error) {
	query := PlainQuery(q)
	statement, cancel := clickhouse.With(ctx, clickhouse.Statement{Comment: "orgstats request " + RequestID(ctx), Limits: s.limits})
	defer cancel()
	var f Figures
	err := s.conn.QueryRow(clickhouse.WithParams(statement, query.Params), query.SQL).Scan(
		&f.ConversationCount, &f.MessageCount, &f.ToolCalls, &f.TotalTokens, &f.InputTokens, &f.OutputTokens, &f.UniqueUsers,
		&f.UniqueAgents, &f.TotalFeedback, &f.TotalHelpful, &f.TotalNotHelpful,
		&f.KBFileCount, &f.KBCount, &f.KBExtractTotalTokens, &f.KBExtractInputTokens, &f.KBExtractOutputTokens)
	return f, classify(err)
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
