package stats

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
)

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
