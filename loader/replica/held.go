package replica

import (
	"context"
	"fmt"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// merges holds ClickHouse's merges back while large batches keep coming: what is merged then is soon merged again with
// what came since, and takes the time of those who write and compute. Answers do not depend on it.
//
// ClickHouse holds merges back until it is told otherwise, or starts again. So whoever opens the replicas lets them go
// on, in case an earlier writer was killed.
type merges struct {
	conn    clickhouse.Conn
	held    bool
	batches int  // large ones in a row
	ending  bool // the last batch was no large one
}

// LargeBatch is how many records make a batch large: much is coming.
const LargeBatch = 50_000

const (
	batchesHeld    = 200              // large batches that merges wait for: each leaves a part or two, and reading slows down with the parts
	resumeDeadline = 10 * time.Second // for one that was closed to let merges go on
)

// heldTables are the ones that a load writes most of.
var heldTables = []string{"messages", "conversations", "record_positions", "stats_cells", "user_activity", "user_months"}

// batch must come before a batch of so many records is written.
func (m *merges) batch(ctx context.Context, records int) error {
	m.ending = records < LargeBatch
	if m.ending {
		m.batches = 0
		return nil
	}
	m.batches++
	switch {
	case m.held && m.batches > batchesHeld:
		return m.resume(ctx)
	case !m.held && m.batches <= batchesHeld:
		return m.hold(ctx)
	}
	return nil
}

// computed must come once the hours of all batches are computed, which merging would slow down, too.
func (m *merges) computed(ctx context.Context) error {
	if !m.held || !m.ending {
		return nil
	}
	return m.resume(ctx)
}

func (m *merges) hold(ctx context.Context) error {
	m.held = true
	return m.system(ctx, "STOP")
}

// resume lets merges go on.
func (m *merges) resume(ctx context.Context) error {
	m.held = false
	return m.system(ctx, "START")
}

// system tells ClickHouse to stop or start merges. A user who may not do that writes as well, only slower.
func (m *merges) system(ctx context.Context, order string) error {
	for _, table := range heldTables {
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
