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

	// The last entry that was read. If it is not there any more, the database is another one.
	step    uint64
	written int64
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

const lastChangeSQL = `
SELECT step, toUnixTimestamp64Micro(written_at)
FROM changes
ORDER BY step DESC
LIMIT 1
SETTINGS max_threads = 1`

// begin forgets everything, and follows the log from its end.
func (l *changeLog) begin(ctx context.Context, s session, now time.Time) error {
	var step uint64
	var written int64
	err := s.each(ctx, clickhouse.Query{Name: KindChanges, SQL: lastChangeSQL}, func(scan clickhouse.Scan) error {
		return scan(&step, &written)
	})
	if err != nil {
		return err
	}
	l.memory.forgetAll()
	l.step, l.written = step, written
	l.read.Store(&now)
	return nil
}

// The last entry that was read is looked at again, to see that it is still the same.
const changesSQL = `
SELECT step, toUnixTimestamp64Micro(written_at), toString(org_id), toString(kind), hours
FROM changes
WHERE step > {step:UInt64}
UNION ALL
SELECT * FROM
(
    SELECT step, toUnixTimestamp64Micro(written_at), '', '', CAST([], 'Array(Int32)')
    FROM changes
    WHERE step = {step:UInt64}
    LIMIT 1
)
SETTINGS max_threads = 1`

func (l *changeLog) readOn(ctx context.Context, s session, now time.Time) error {
	query := clickhouse.Query{Name: KindChanges, SQL: changesSQL, Params: clickhouse.Params{}}
	query.Params.Int64("step", int64(l.step))
	var changes []change
	step, written := l.step, l.written
	same := l.step == 0
	err := s.each(ctx, query, func(scan clickhouse.Scan) error {
		var c change
		var at int64
		var kind string
		if err := scan(&c.step, &at, &c.orgID, &kind, &c.hours); err != nil {
			return err
		}
		c.kind = cells.ChangeKind(kind)
		if c.step == l.step {
			same = same || at == l.written
			return nil
		}
		changes = append(changes, c)
		if c.step > step {
			step, written = c.step, at
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !same {
		return l.begin(ctx, s, now)
	}
	slices.SortStableFunc(changes, func(a, b change) int { return cmp.Compare(a.step, b.step) })
	l.memory.apply(changes)
	l.step, l.written = step, written
	l.read.Store(&now)
	return nil
}
