package stats

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// change is an entry of the log of changes, in which the loader announces what it is about to write, and reports what
// it has written.
type change struct {
	step  uint64
	orgID string
	kind  cells.ChangeKind
	hours []int32
}

// logAge is how long ago the log may have been read for its entries since to be all there: the table keeps them for
// a day.
const logAge = 6 * time.Hour

// changeLog follows the log of changes for all organizations in memory.
type changeLog struct {
	memory *memory
	turn   chan struct{}             // is taken by who reads
	read   atomic.Pointer[time.Time] // when the last reading began; nil: the log was never read

	last lastStep
}

// lastStep is the last step that was read. If it is not there any more, or another one, the database is another one, or
// it was not whole when it was read.
type lastStep struct {
	step    uint64 // 0: the log was empty
	written int64  // when the first of its entries was, in microseconds since 1970
	entries int32
}

// add adds an entry, which may come in any order.
func (l *lastStep) add(step uint64, written int64) {
	switch {
	case step > l.step:
		*l = lastStep{step, written, 1}
	case step == l.step:
		l.written = min(l.written, written)
		l.entries++
	}
}

func newChangeLog(m *memory) *changeLog { return &changeLog{memory: m, turn: make(chan struct{}, 1)} }

// age returns how long ago the log was read, 0 if never.
func (l *changeLog) age() time.Duration {
	if read := l.read.Load(); read != nil {
		return time.Since(*read)
	}
	return 0
}

// since reports whether the log was read at a time or later.
func (l *changeLog) since(at time.Time) bool {
	read := l.read.Load()
	return read != nil && !read.Before(at)
}

// follow makes sure that everything that was announced before a time is applied to memory. Callers who come while the
// log is being read share the next reading.
func (l *changeLog) follow(ctx context.Context, s session, at time.Time) error {
	if l.since(at) {
		return nil
	}
	select {
	case l.turn <- struct{}{}:
		defer func() { <-l.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if l.since(at) {
		return nil
	}
	now := time.Now()
	if l.read.Load() == nil || l.age() > logAge {
		return l.begin(ctx, s, now)
	}
	return l.readOn(ctx, s, now)
}

const lastStepSQL = `
SELECT step, min(toUnixTimestamp64Micro(written_at)), toInt32(count())
FROM changes
WHERE step = (SELECT max(step) FROM changes)
GROUP BY step
SETTINGS max_threads = 1`

// begin forgets everything, and follows the log from its end.
func (l *changeLog) begin(ctx context.Context, s session, now time.Time) error {
	var last lastStep
	err := s.each(ctx, clickhouse.Query{Name: KindChanges, SQL: lastStepSQL}, func(scan clickhouse.Scan) error {
		return scan(&last.step, &last.written, &last.entries)
	})
	if err != nil {
		return err
	}
	l.memory.forgetAll()
	l.last = last
	l.read.Store(&now)
	return nil
}

// The last step that was read is looked at again, to see that it is still the same.
const changesSQL = `
SELECT step, toUnixTimestamp64Micro(written_at), toString(org_id), toString(kind), hours
FROM changes
WHERE step > {step:UInt64}
UNION ALL
SELECT step, min(toUnixTimestamp64Micro(written_at)), '', '', [toInt32(count())]
FROM changes
WHERE step = {step:UInt64}
GROUP BY step
SETTINGS max_threads = 1`

func (l *changeLog) readOn(ctx context.Context, s session, now time.Time) error {
	query := clickhouse.Query{Name: KindChanges, SQL: changesSQL, Params: clickhouse.Params{}}
	query.Params.Int64("step", int64(l.last.step))
	var changes []change
	var again, last lastStep
	err := s.each(ctx, query, func(scan clickhouse.Scan) error {
		var c change
		var written int64
		var kind string
		if err := scan(&c.step, &written, &c.orgID, &kind, &c.hours); err != nil {
			return err
		}
		if c.step == l.last.step {
			again = lastStep{c.step, written, c.hours[0]}
			return nil
		}
		c.kind = cells.ChangeKind(kind)
		changes = append(changes, c)
		last.add(c.step, written)
		return nil
	})
	if err != nil {
		return err
	}
	// Where the log was empty, it does not show whether the database is still the same.
	if again != l.last || l.last.step == 0 && len(changes) > 0 {
		return l.begin(ctx, s, now)
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.step, b.step) })
	l.memory.apply(changes)
	if len(changes) > 0 {
		l.last = last
	}
	l.read.Store(&now)
	return nil
}
