package stats

import (
	"context"
	"slices"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// state is what the loader says of an organization.
type state struct {
	// counter is greater after every change of the organization, and odd while one is being written.
	counter uint64
	// stale are the hours, since 1970-01-01 UTC and sorted, whose cells and activity can't be used.
	stale []int32
	size  size
}

const stateSQL = `
SELECT hour, step
FROM stale_hours FINAL
WHERE org_id = {org_id:String}
ORDER BY hour`

// readState reads an organization's change counter and stale hours. One that was never loaded has none of either.
func readState(ctx context.Context, conn clickhouse.Conn, orgID string) (counter uint64, stale []int32, err error) {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), stateSQL)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var hour int32
		var step uint64
		if err := rows.Scan(&hour, &step); err != nil {
			return 0, nil, err
		}
		if hour == cells.CounterHour {
			counter = step
		} else {
			stale = append(stale, hour)
		}
	}
	return counter, stale, rows.Err()
}

// counterSQL reads the rows of the counter that were not merged yet. Every answer waits for it, so it does without what
// a statement can do without: aggregation, FINAL and a second thread.
var counterSQL = `
SELECT step
FROM stale_hours
PREWHERE org_id = {org_id:String} AND ` + cells.IsCounter + `
SETTINGS max_threads = 1`

// readCounter reads the counter alone. It only grows, so that the greatest of its rows is the last.
func readCounter(ctx context.Context, conn clickhouse.Conn, orgID string) (counter uint64, err error) {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), counterSQL)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var step uint64
		if err := rows.Scan(&step); err != nil {
			return 0, err
		}
		counter = max(counter, step)
	}
	return counter, rows.Err()
}

// anyStale tells whether a stale hour lies in a stretch of time that begins and ends with an hour.
func (s state) anyStale(from, until int64) bool {
	i, _ := slices.BinarySearch(s.stale, cells.HourNumber(from))
	return i < len(s.stale) && int64(s.stale[i])*cells.MsPerHour < until
}

const (
	// statesKept is how many organizations' states stay in memory.
	statesKept = 10_000

	// restless is how long after a change an organization is expected to change again soon, so that its state is read
	// anew rather than believed and found wrong.
	restless = 5 * time.Second
)

// states remembers the state of organizations that were asked about, so that a plan can be made at once. A state that
// is out of date costs a second attempt, never a wrong figure.
type states struct {
	mu    sync.Mutex
	known map[string]knownState
}

type knownState struct {
	state
	changed time.Time // when it was seen to have changed
	sized   time.Time // when its size was read
}

func newStates() *states { return &states{known: map[string]knownState{}} }

// before is a state to plan with.
func (s *states) before(ctx context.Context, conn clickhouse.Conn, orgID string) (state, error) {
	s.mu.Lock()
	known, ok := s.known[orgID]
	s.mu.Unlock()
	if ok && time.Since(known.changed) > restless {
		return known.state, nil
	}
	return s.read(ctx, conn, orgID)
}

// read reads the state as it is now.
func (s *states) read(ctx context.Context, conn clickhouse.Conn, orgID string) (state, error) {
	s.mu.Lock()
	known, ok := s.known[orgID]
	s.mu.Unlock()
	now := knownState{state: state{size: known.size}, changed: known.changed, sized: known.sized}
	reads, readCtx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		now.counter, now.stale, err = readState(readCtx, conn, orgID)
		return err
	})
	if time.Since(known.sized) > sizeAge {
		reads.Go(func() (err error) {
			now.size, err = readSize(readCtx, conn, orgID)
			now.sized = time.Now()
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return state{}, err
	}
	if ok && known.counter < now.counter {
		now.changed = time.Now()
	}
	s.keep(orgID, now)
	return now.state, nil
}

// keep remembers a state unless a later one is known.
func (s *states) keep(orgID string, now knownState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.known[orgID]; ok && known.counter > now.counter {
		return
	}
	if len(s.known) >= statesKept {
		clear(s.known)
	}
	s.known[orgID] = now
}

// sizeAge is how long an organization's size is believed: it decides how fast an answer is, not what it is.
const sizeAge = time.Minute

// size is about how many messages an organization has in each month, by the month's start in milliseconds since 1970
// UTC.
type size map[int64]uint64

const sizeSQL = `
SELECT toUnixTimestamp64Milli(bucket), message_count
FROM stats_cells FINAL
WHERE org_id = {org_id:String} AND agent_id = '' AND grain = 'month'`

// readSize reads the size of an organization.
func readSize(ctx context.Context, conn clickhouse.Conn, orgID string) (size, error) {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), sizeSQL)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	s := size{}
	for rows.Next() {
		var month int64
		var messages uint64
		if err := rows.Scan(&month, &messages); err != nil {
			return nil, err
		}
		s[month] = messages
	}
	return s, rows.Err()
}

// within is about how many messages a window has, if those of a month are spread evenly over it.
func (s size) within(from, until int64) (messages uint64) {
	for month, all := range s {
		next := cells.Month.Next(month)
		if overlap := min(until, next) - max(from, month); overlap > 0 {
			messages += uint64(float64(all) * float64(overlap) / float64(next-month))
		}
	}
	return messages
}

// usersKept is how many users' numbers stay in memory.
const usersKept = 100_000

// userNumbers remembers the dense numbers of users who were asked about: a number, once given, never changes.
type userNumbers struct{ known *lru.Cache[userKey, uint32] }

type userKey struct{ orgID, userID string }

func newUserNumbers() userNumbers {
	known, err := lru.New[userKey, uint32](usersKept)
	if err != nil {
		panic(err) // it refuses sizes below 1
	}
	return userNumbers{known}
}

// number is the number of the one user whom a plan looks up, 0 if it looks up none or several, or one who has no number
// yet.
func (u userNumbers) number(ctx context.Context, conn clickhouse.Conn, p Plan) (uint32, error) {
	q := p.Question
	if p.Kind() != KindActivity || q.UserID == "" || q.byMetadata() {
		return 0, nil
	}
	key := userKey{q.OrgID, q.UserID}
	if no, ok := u.known.Get(key); ok {
		return no, nil
	}
	no, err := readUserNumber(ctx, conn, key)
	if err == nil && no != 0 {
		u.known.Add(key, no)
	}
	return no, err
}

// A user has several rows, all the same, until they are merged.
const userNumberSQL = `
SELECT user_no
FROM users
PREWHERE org_id = {org_id:String} AND user_id = {user_id:String}
LIMIT 1
SETTINGS max_threads = 1`

// readUserNumber reads a user's number, 0 for one who has none.
func readUserNumber(ctx context.Context, conn clickhouse.Conn, key userKey) (no uint32, err error) {
	params := clickhouse.Params{}
	params.String("org_id", key.orgID)
	params.String("user_id", key.userID)
	rows, err := conn.Query(clickhouse.Named(clickhouse.WithParams(ctx, params), KindState), userNumberSQL)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	if rows.Next() {
		if err := rows.Scan(&no); err != nil {
			return 0, err
		}
	}
	return no, rows.Err()
}
