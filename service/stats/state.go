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

// state is what the loader has written about an organization.
type state struct {
	// counter is greater after every change of the organization, and odd while one is being written.
	counter uint64
	// stale are the hours, since 1970-01-01 UTC and sorted, whose cells and activity can't be used.
	stale []int32
	size  size
}

// size is about how many messages an organization has in each month, by the month's start in milliseconds since 1970
// UTC.
type size map[int64]uint64

// anyStale reports whether a stale hour lies in an interval that begins and ends with an hour.
func (s state) anyStale(i Interval) bool {
	n, _ := slices.BinarySearch(s.stale, cells.HourNumber(i.From))
	return n < len(s.stale) && int64(s.stale[n])*cells.MsPerHour < i.Until
}

// within returns about how many messages a window has, if those of a month are spread evenly over it.
func (s size) within(from, until int64) (messages uint64) {
	for month, all := range s {
		next := cells.Month.Next(month)
		if overlap := min(until, next) - max(from, month); overlap > 0 {
			messages += uint64(float64(all) * float64(overlap) / float64(next-month))
		}
	}
	return messages
}

// stateQuery returns a query that reads what the loader has written about an organization.
func stateQuery(sql, orgID string) clickhouse.Query {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	return clickhouse.Query{Name: KindState, SQL: sql, Params: params}
}

const staleHoursSQL = `
SELECT hour, step
FROM stale_hours FINAL
WHERE org_id = {org_id:String}
ORDER BY hour`

// staleHour is a row of stale_hours.
type staleHour struct {
	Hour int32  `ch:"hour"`
	Step uint64 `ch:"step"`
}

// readStale reads the organization's change counter and stale hours. One that was never loaded has none of either.
func (s session) readStale(ctx context.Context) (counter uint64, stale []int32, err error) {
	rows, err := collect[staleHour](s.query(ctx, stateQuery(staleHoursSQL, s.OrgID)))
	for _, row := range rows {
		if row.Hour == cells.CounterHour {
			counter = row.Step
		} else {
			stale = append(stale, row.Hour)
		}
	}
	return counter, stale, err
}

// counterSQL reads the rows of the counter that were not merged yet. Every answer waits for it, so it does without what
// a statement can do without: aggregation, FINAL and a second thread.
var counterSQL = `
SELECT step
FROM stale_hours
PREWHERE org_id = {org_id:String} AND ` + cells.IsCounter + `
SETTINGS max_threads = 1`

// readCounter reads the counter alone. It only grows, so that the greatest of its rows is the last.
func (s session) readCounter(ctx context.Context) (counter uint64, err error) {
	rows, err := collect[staleHour](s.query(ctx, stateQuery(counterSQL, s.OrgID)))
	for _, row := range rows {
		counter = max(counter, row.Step)
	}
	return counter, err
}

// sizeAge is how long an organization's size is believed: it decides how fast an answer is, not what it is.
const sizeAge = time.Minute

const sizeSQL = `
SELECT toUnixTimestamp64Milli(bucket) AS month, message_count
FROM stats_cells FINAL
WHERE org_id = {org_id:String} AND agent_id = '' AND grain = 'month'`

func (s session) readSize(ctx context.Context) (size, error) {
	rows, err := collect[struct {
		Month    int64  `ch:"month"`
		Messages uint64 `ch:"message_count"`
	}](s.query(ctx, stateQuery(sizeSQL, s.OrgID)))
	all := size{}
	for _, row := range rows {
		all[row.Month] = row.Messages
	}
	return all, err
}

const (
	// statesKept is how many organizations' states stay in memory.
	statesKept = 10_000

	// restless is how long after a change an organization is expected to change again soon, so that its state is read
	// anew rather than believed and found wrong.
	restless = 5 * time.Second
)

// states remembers the states of organizations that were asked about, so that a plan can be made at once. A state that
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

func (s *states) get(orgID string) (known knownState, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok = s.known[orgID]
	return known, ok
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

// knownOrRead returns a state to plan with, which may be out of date.
func (s session) knownOrRead(ctx context.Context) (state, error) {
	if known, ok := s.states.get(s.OrgID); ok && time.Since(known.changed) > restless {
		return known.state, nil
	}
	return s.readState(ctx)
}

// readState reads the state as it is now.
func (s session) readState(ctx context.Context) (state, error) {
	known, ok := s.states.get(s.OrgID)
	now := knownState{state: state{size: known.size}, changed: known.changed, sized: known.sized}
	reads, readCtx := errgroup.WithContext(ctx)
	reads.Go(func() (err error) {
		now.counter, now.stale, err = s.readStale(readCtx)
		return err
	})
	if time.Since(known.sized) > sizeAge {
		reads.Go(func() (err error) {
			now.size, err = s.readSize(readCtx)
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
	s.states.keep(s.OrgID, now)
	return now.state, nil
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

// A user has several rows, all the same, until they are merged.
const userNumberSQL = `
SELECT user_no
FROM users
PREWHERE org_id = {org_id:String} AND user_id = {user_id:String}
LIMIT 1
SETTINGS max_threads = 1`

// userNumber returns the number of the one user whom a plan looks up, 0 if it looks up none or several, or one who has
// no number yet.
func (s session) userNumber(ctx context.Context, p Plan) (no uint32, err error) {
	if p.Kind() != KindActivity || s.UserID == "" || s.byMetadata() {
		return 0, nil
	}
	key := userKey{s.OrgID, s.UserID}
	if no, ok := s.users.known.Get(key); ok {
		return no, nil
	}
	query := stateQuery(userNumberSQL, s.OrgID)
	query.Params.String("user_id", s.UserID)
	rows, err := collect[struct {
		No uint32 `ch:"user_no"`
	}](s.query(ctx, query))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	s.users.known.Add(key, rows[0].No)
	return rows[0].No, nil
}
