package rollup

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// hour is an hour of an organization, by its cells.HourNumber.
type hour struct {
	orgID  string
	number int32
}

func hourOf(orgID string, ms int64) hour { return hour{orgID, cells.HourNumber(ms)} }

// start returns the first millisecond of the hour, since 1970 UTC.
func (h hour) start() int64 { return int64(h.number) * cells.MsPerHour }

// staleHours keeps the marks of hours whose cells and activity may be wrong, and with them every organization's change
// counter: it is odd while the organization's rows are being written, and even, and greater, once they are. Whoever
// reads the same counter before and after, has read nothing that was written in between. What it writes is logged.
type staleHours struct {
	conn    clickhouse.Conn
	marking sync.Mutex
	step    uint64            // the last that was written
	marked  map[hour]struct{} // marked, and not unmarked yet
	writing map[string]struct{}
}

// lastStepSQL reads the last step of either table. Readers who have seen it in the log read on from there: it must not
// be used again, even if the writer was killed before it was in both.
const lastStepSQL = "SELECT greatest((SELECT max(step) FROM stale_hours), (SELECT max(step) FROM changes))"

// openStaleHours reads the marks that are there, and tells those who remember them that they may lack some.
func openStaleHours(ctx context.Context, conn clickhouse.Conn) (*staleHours, error) {
	s := &staleHours{conn: conn, marked: map[hour]struct{}{}, writing: map[string]struct{}{}}
	query := "SELECT toString(org_id), hour, step FROM stale_hours FINAL WHERE " + cells.IsStaleHour + " OR step % 2 = 1"
	err := clickhouse.LookUp(ctx, conn, "stale hours", nil, query, func(scan clickhouse.Scan) error {
		var h hour
		var step uint64
		err := scan(&h.orgID, &h.number, &step)
		if h.number == cells.CounterHour {
			s.writing[h.orgID] = struct{}{}
		} else {
			s.marked[h] = struct{}{}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := conn.QueryRow(ctx, lastStepSQL).Scan(&s.step); err != nil {
		return nil, fmt.Errorf("look up the last step: %w", err)
	}
	return s, s.opened(ctx)
}

// opened writes to the log that a writer has started. The step is stored in stale_hours, too, as the counter of no
// organization: the log forgets its rows, and steps must grow even if nothing else was written in between.
func (s *staleHours) opened(ctx context.Context) error {
	s.step += 2 - s.step%2
	nobody := map[string]struct{}{"": {}}
	return s.announce(ctx, countersOf(nobody), changesOf(cells.ChangeOpened, nobody, nil))
}

// mark must come before rows of a kind are written. It may be called by several at once. Hours are those whose messages
// change. Organizations are those of the hours, or those whose rows outside of messages change.
func (s *staleHours) mark(ctx context.Context, kind cells.ChangeKind, organizations map[string]struct{}, hours map[hour]struct{}) error {
	if len(organizations) == 0 {
		return nil
	}
	s.marking.Lock()
	defer s.marking.Unlock()
	rows := slices.Grow(countersOf(organizations), len(hours))
	for h := range hours {
		if _, already := s.marked[h]; !already {
			rows = append(rows, mark{h, 0})
		}
	}
	s.step += 1 + s.step%2 // the next odd one
	if err := s.announce(ctx, rows, changesOf(kind, organizations, hours)); err != nil {
		return err
	}
	for _, m := range rows[len(organizations):] {
		s.marked[m.hour] = struct{}{}
	}
	for orgID := range organizations {
		s.writing[orgID] = struct{}{}
	}
	return nil
}

// written must come once all rows of the marked organizations are written.
func (s *staleHours) written(ctx context.Context) error {
	if len(s.writing) == 0 {
		return nil
	}
	s.step += 2 - s.step%2 // the next even one
	if err := s.report(ctx, countersOf(s.writing), changesOf(cells.ChangeWritten, s.writing, nil)); err != nil {
		return err
	}
	clear(s.writing)
	return nil
}

// unmark must come once the cells and the activity of all marked hours are right.
func (s *staleHours) unmark(ctx context.Context) error {
	organizations := organizationsOf(s.marked)
	rows := slices.Grow(countersOf(organizations), len(s.marked))
	for h := range s.marked {
		rows = append(rows, mark{h, 1})
	}
	s.step += 2 - s.step%2
	if err := s.report(ctx, rows, changesOf(cells.ChangeComputed, organizations, s.marked)); err != nil {
		return err
	}
	clear(s.marked)
	return nil
}

// mark is a row of stale_hours.
type mark struct {
	hour
	fresh uint8
}

// countersOf returns the rows that hold the organizations' change counters.
func countersOf(organizations map[string]struct{}) []mark {
	rows := make([]mark, 0, len(organizations))
	for orgID := range organizations {
		rows = append(rows, mark{hour{orgID, cells.CounterHour}, 0})
	}
	return rows
}

// organizationsOf returns the organizations of hours.
func organizationsOf(hours map[hour]struct{}) map[string]struct{} {
	organizations := map[string]struct{}{}
	for h := range hours {
		organizations[h.orgID] = struct{}{}
	}
	return organizations
}

// announce writes that something begins: rows of stale_hours in one block, so that a reader who sees a counter sees the
// marks that came with it, and then their entry in the log.
func (s *staleHours) announce(ctx context.Context, rows []mark, log []change) error {
	if err := s.writeMarks(ctx, rows); err != nil {
		return err
	}
	return s.writeLog(ctx, log)
}

// report writes that something has ended: in the log first, so that whoever finds stale_hours without it, and reads the
// log then, learns that it has ended only now.
func (s *staleHours) report(ctx context.Context, rows []mark, log []change) error {
	if err := s.writeLog(ctx, log); err != nil {
		return err
	}
	return s.writeMarks(ctx, rows)
}

func (s *staleHours) writeMarks(ctx context.Context, rows []mark) error {
	return clickhouse.Insert(ctx, s.conn, "stale_hours", rows,
		clickhouse.Value("org_id", func(m *mark) string { return m.orgID }),
		clickhouse.Value("hour", func(m *mark) int32 { return m.number }),
		clickhouse.Constant[mark]("step", s.step),
		clickhouse.Value("is_fresh", func(m *mark) uint8 { return m.fresh }))
}

func (s *staleHours) writeLog(ctx context.Context, log []change) error {
	return clickhouse.Insert(ctx, s.conn, "changes", log,
		clickhouse.Constant[change]("step", s.step),
		clickhouse.Value("org_id", func(c *change) string { return c.orgID }),
		clickhouse.Value("kind", func(c *change) string { return string(c.kind) }),
		clickhouse.Value("hours", func(c *change) []int32 { return c.hours }))
}

// change is a row of changes.
type change struct {
	orgID string
	kind  cells.ChangeKind
	hours []int32 // sorted
}

// changesOf returns a row for each organization, with its hours.
func changesOf(kind cells.ChangeKind, organizations map[string]struct{}, hours map[hour]struct{}) []change {
	numbers := map[string][]int32{}
	for h := range hours {
		numbers[h.orgID] = append(numbers[h.orgID], h.number)
	}
	rows := make([]change, 0, len(organizations))
	for orgID := range organizations {
		slices.Sort(numbers[orgID])
		rows = append(rows, change{orgID, kind, numbers[orgID]})
	}
	return rows
}
