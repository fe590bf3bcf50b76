package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// leastMaxLag is the least bound of the replication's lag: a replicator notes every ten seconds how far it is.
const leastMaxLag = 30 * time.Second

func (f *serviceFlags) lagMistakes() []error {
	if f.MaxLag != 0 && f.MaxLag < leastMaxLag {
		return []error{fmt.Errorf("--max-lag (ORGSTATS_MAX_LAG) is %s; give %s or more, or 0 for no bound", f.MaxLag, leastMaxLag)}
	}
	return nil
}

// lagging returns an error if the replicas lack changes that are older than the bound, or if it can't be known. Of
// several slots, the last one that wrote counts: one program writes at a time.
func lagging(ctx context.Context, conn clickhouse.Conn, bound time.Duration) error {
	ctx, cancel := clickhouse.WithStatement(ctx, clickhouse.Statement{Comment: "orgstats readyz"})
	defer cancel()
	var caughtUp time.Time
	err := conn.QueryRow(ctx, "SELECT max(caught_up_at) FROM replication_sources FINAL").Scan(&caughtUp)
	switch lag := time.Since(caughtUp); {
	case err != nil:
		return fmt.Errorf("ask how far the source was replicated: %w", err)
	case caughtUp.Unix() == 0:
		return errors.New("no source was replicated completely")
	case lag > bound:
		return fmt.Errorf("changes of the last %s may be missing, and --max-lag is %s", lag.Round(time.Second), bound)
	}
	return nil
}
