package stats

import (
	"context"
	"sync"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

const (
	// statesKept is how many organisations' states stay in memory.
	statesKept = 10_000

	// restless is how long after a change an organisation is expected to change again soon, so that its state is read anew
	// rather than believed and found wrong.
	restless = 5 * time.Second
)

// states remembers the state of organisations that were asked about, so that a plan can be made at once. A state that is out
// of date costs a second attempt, never a wrong figure.
type states struct {
	mu    sync.Mutex
	known map[string]knownState
}

type knownState struct {
	state
	changed time.Time // when it was seen to have changed
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
	now, err := readState(ctx, conn, orgID)
	if err != nil {
		return state{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	known, ok := s.known[orgID]
	if !ok || known.counter < now.counter {
		if len(s.known) >= statesKept {
			clear(s.known)
		}
		changed := time.Now()
		if !ok {
			changed = time.Time{}
		}
		s.known[orgID] = knownState{now, changed}
	}
	return now, nil
}
