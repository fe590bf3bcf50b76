package stats

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

// messageColumns is how many figures are of messages; the others are of files.
const messageColumns = 10

// columns are where the columns of a question's queries go.
func (f *Figures) columns() []any {
	return []any{
		&f.ConversationCount, &f.UniqueUsers, &f.UniqueAgents,
		&f.MessageCount, &f.ToolCalls, &f.TotalTokens, &f.InputTokens, &f.OutputTokens, &f.TotalHelpful, &f.TotalNotHelpful,
		&f.KBFileCount, &f.KBCount, &f.KBExtractTotalTokens, &f.KBExtractInputTokens, &f.KBExtractOutputTokens,
	}
}

// Run runs the queries of a plan, or the plain query, and gives the figures.
func (s *Store) Run(ctx context.Context, queries ...Query) (Figures, error) {
	return s.run(ctx, queries, func(context.Context) error { return nil })
}

// run runs the queries and calls begun once ClickHouse has begun all of them, while they are under way: what each reads
// is settled then, because ClickHouse sends the names of the columns when it has chosen the parts to read, and parts
// never change.
func (s *Store) run(ctx context.Context, queries []Query, begun func(context.Context) error) (f Figures, err error) {
	columns := [][]any{f.columns()}
	if len(queries) == 2 {
		columns = [][]any{columns[0][:messageColumns], columns[0][messageColumns:]}
	}
	var beginning sync.WaitGroup
	beginning.Add(len(queries))
	all, ctx := errgroup.WithContext(ctx)
	for i, query := range queries {
		all.Go(func() error {
			row := s.conn.QueryRow(clickhouse.WithParams(ctx, query.Params), query.SQL)
			beginning.Done()
			return row.Scan(columns[i]...)
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
