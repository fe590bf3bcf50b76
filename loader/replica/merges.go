package replica

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

// merges controls ClickHouse's merges of parts. It stops them while large batches keep coming: what is merged then is
// soon merged again with what came since, and merging slows down those who write and compute. Answers do not depend on
// it.
//
// Merges stay stopped until they are started, or the server restarts. So whoever opens the replicas starts them, in
// case an earlier writer was killed.
type merges struct {
	conn    clickhouse.Conn
	stopped bool
	batches int  // large ones in a row
	ending  bool // the last batch was no large one

	computations int // since small tables were merged
}

// LargeBatch is how many records make a batch large: much is coming.
const LargeBatch = 50_000

const (
	maxBatchesStopped = 200              // large batches that merges wait for: each leaves a part or two, and reading slows down with the parts
	startDeadline     = 10 * time.Second // for a writer that is closed to start merges
)

// loadedTables are the ones that a load writes most of.
var loadedTables = []string{"messages", "conversations", "record_positions", "stats_cells", "user_activity"}

// batch must be called before a batch of so many records is written.
func (m *merges) batch(ctx context.Context, records int) error {
	m.ending = records < LargeBatch
	if m.ending {
		m.batches = 0
		return nil
	}
	m.batches++
	switch {
	case m.stopped && m.batches > maxBatchesStopped:
		return m.start(ctx)
	case !m.stopped && m.batches <= maxBatchesStopped:
		return m.stop(ctx)
	}
	return nil
}

// maxComputations is how often hours are computed before small tables are merged, however few these were: each leaves
// rows of stale_hours.
const maxComputations = 1000

// computed must be called once the hours of all batches are computed, which merging would slow down, too. After many
// days were computed, or few many times, it merges small tables.
func (m *merges) computed(ctx context.Context, many bool) error {
	if m.stopped && m.ending {
		if err := m.start(ctx); err != nil {
			return err
		}
	}
	if m.computations++; !many && m.computations < maxComputations {
		return nil
	}
	m.computations = 0
	return m.mergeSmallTables(ctx)
}

func (m *merges) stop(ctx context.Context) error {
	m.stopped = true
	return m.system(ctx, "STOP")
}

func (m *merges) start(ctx context.Context) error {
	m.stopped = false
	return m.system(ctx, "START")
}

// system stops or starts merges. A user who may not do that writes as well, only slower.
func (m *merges) system(ctx context.Context, order string) error {
	for _, table := range loadedTables {
		err := m.conn.Exec(ctx, "SYSTEM "+order+" MERGES "+table)
		if clickhouse.IsDenied(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s merges of %s: %w", order, table, err)
		}
	}
	return nil
}

// A request opens every part of the tables that it reads, and that is most of its time when it reads little of each.
// ClickHouse's own merges stop short of one part. So computing in bulk ends by merging what is small; large tables are
// left to ClickHouse.
const (
	smallRows    = 100_000 // of a table that is small, at most
	mergesAtOnce = 4       // of different tables
)

// smallTables are those that requests read and that are small, usually. Their merges are never stopped.
var smallTables = []string{"stale_hours", "changes", "kb_files", "members", "users", "agents"}

func (m *merges) mergeSmallTables(ctx context.Context) error {
	const query = `
SELECT table
FROM system.parts
WHERE active AND database = currentDatabase()
  AND table IN (SELECT name FROM keys)
GROUP BY table
HAVING table = 'stale_hours' OR count() > 1 AND sum(rows) <= {rows:UInt64}`
	params := clickhouse.Params{}
	params.Int64("rows", smallRows)
	keys := clickhouse.StringKeys("name", smallTables)
	tables, err := lookUpTexts(clickhouse.WithParams(ctx, params), m.conn, "the parts of the tables", keys, query)
	if err != nil {
		return err
	}
	running, ctx := errgroup.WithContext(ctx)
	running.SetLimit(mergesAtOnce)
	for _, table := range tables {
		running.Go(func() error {
			optimize := "OPTIMIZE TABLE " + table + " FINAL"
			if table == "stale_hours" {
				optimize += " CLEANUP" // which removes the hours that are not stale anymore
			}
			if err := m.conn.Exec(ctx, optimize); err != nil {
				return fmt.Errorf("merge the parts of %s: %w", table, err)
			}
			return nil
		})
	}
	return running.Wait()
}
