// Package rollup keeps the figures of messages by buckets of time (stats_cells, user_activity) right while
// the messages change.
//
// Before rows of messages are written, their hours are marked as stale; Compute computes the figures of stale hours and
// unmarks them. While an hour is marked, readers read it from the messages. So figures are exact at every moment, and
// what a crash left behind is computed by whoever opens the replicas next. A log of the changes tells readers what of
// that which they remember is still right.
package rollup

import (
	"context"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Writer is what this package needs of the writer of the replicas.
type Writer interface {
	// BeginStep notes that a batch begins, in which only figures are written, and returns its number.
	BeginStep(ctx context.Context) (batch uint64, err error)
	// EndStep notes that everything of the batch is written.
	EndStep(ctx context.Context) error
	// Messages returns, in SQL, the rows of messages that count.
	Messages() string
	// Connect opens a session of its own.
	Connect(ctx context.Context) (clickhouse.Conn, error)
}

// Rollups marks hours and computes their figures. Only its marks may be set by several goroutines at once.
type Rollups struct {
	conn    clickhouse.Conn
	writer  Writer
	stale   *staleHours
	touched *touched
}

// Open returns the rollups of a database, with the marks that are there.
func Open(ctx context.Context, conn clickhouse.Conn, w Writer) (*Rollups, error) {
	stale, err := openStaleHours(ctx, conn)
	if err != nil {
		return nil, err
	}
	r := &Rollups{conn: conn, writer: w, stale: stale, touched: &touched{}} // what was touched before is not remembered
	if len(stale.marked) == 0 {
		r.touched = newTouched()
	}
	return r, nil
}

// Stale returns the number of hours that wait to be computed.
func (r *Rollups) Stale() int { return len(r.stale.marked) }

// MarkMessages marks the hours that a change of messages touches. It must come before the change is written.
func (r *Rollups) MarkMessages(ctx context.Context, c Change) error {
	hours := c.touchedHours()
	r.touched.note(c)
	return r.stale.mark(ctx, cells.ChangeOfMessages, organizationsOf(hours), hours)
}

// MarkMembers marks organizations of which members are going to be written.
func (r *Rollups) MarkMembers(ctx context.Context, organizations map[string]struct{}) error {
	return r.stale.mark(ctx, cells.ChangeOfMembers, organizations, nil)
}

// MarkFiles marks organizations of which files are going to be written.
func (r *Rollups) MarkFiles(ctx context.Context, organizations map[string]struct{}) error {
	return r.stale.mark(ctx, cells.ChangeOfFiles, organizations, nil)
}

// Written must come once all rows of what was marked are written.
func (r *Rollups) Written(ctx context.Context) error { return r.stale.written(ctx) }
