// Package limit bounds the service's load: Gate bounds the questions that are under way and that wait, Rates how often
// an organization and a user may ask. Both are fair: whatever one organization does, the others get their turn.
package limit

import (
	"context"
	"sync"
	"time"
)

const (
	// A queue stands when somebody waited for so much of the time lately, which is about half of the patience. A burst,
	// such as a dashboard's tiles, may wait; in a queue that stands waiting helps nobody, so it is kept as short as
	// answering a question takes, and answers are about twice as slow as without a queue at most. (The idea is CoDel's,
	// as in "Fail at Scale", ACM Queue 13/8; but a queue that is kept short is empty for moments, so its being empty
	// once says nothing.)
	standing = 0.8
	// latelyShare is the time constant of "lately", as a share of the patience: a queue that is not empty any more
	// stands after 0.8 s if the patience is 2 s.
	latelyShare = 0.25

	// smoothing is how many of the last questions make the average of how long one takes, roughly.
	smoothing = 16
)

// GateOptions bound a gate.
type GateOptions struct {
	UnderWay int           // questions worked on at once; 0 sets no limit at all
	Waiting  int           // questions that may wait for their turn
	Patience time.Duration // how long a question may wait
}

// Gate lets a bounded number of questions through at once, and a bounded number wait for a bounded time. When a place
// is free, it goes to the organization that waits and has the fewest questions under way; when the queue is full, the
// organization that has the most in it loses its newest. A quarter of the places, at least one, is never used by one
// organization alone.
type Gate struct {
	options GateOptions

	mu            sync.Mutex
	underWay      int
	waiting       int
	organizations map[string]*organization // that have questions here

	contention  float64       // how much of the time somebody waited, lately: 0 to 1
	recorded    time.Time     // when that was computed
	turns       uint64        // counts turns, and organizations that come
	serviceTime time.Duration // of a question on average, from its turn; 0 before the first
}

// organization holds the questions of one organization.
type organization struct {
	underWay int
	waiters  []*waiter // oldest first
	turn     uint64    // when its last turn was, or when it came
}

// waiter is a question that waits. It receives once: nil for its turn, or the error that it is shed with.
type waiter struct{ turn chan error }

// NewGate returns a gate.
func NewGate(o GateOptions) *Gate {
	return &Gate{options: o, organizations: map[string]*organization{}}
}

// Enter waits for the turn of a question of the organization; leave must be called when the question is done with. The
// error is an *OverloadError, or the context's.
func (g *Gate) Enter(ctx context.Context, orgID string) (leave func(), err error) {
	if g.options.UnderWay == 0 {
		return func() {}, nil
	}
	w, patience, err := g.join(orgID)
	if err == nil && w != nil {
		err = g.await(ctx, orgID, w, patience)
	}
	if err != nil {
		return nil, err
	}
	started := time.Now()
	return func() { g.leave(orgID, time.Since(started)) }, nil
}

// Options returns what the gate was made with.
func (g *Gate) Options() GateOptions { return g.options }

// Load returns how many questions are under way and how many wait.
func (g *Gate) Load() (underWay, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.underWay, g.waiting
}

// join starts a question (the waiter is nil then) or puts it into the queue.
func (g *Gate) join(orgID string) (*waiter, time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.recordContention(time.Now())
	l := g.organizations[orgID]
	if l == nil {
		g.turns++
		l = &organization{turn: g.turns} // at the end of the round, so that who waits is not overtaken again and again
		g.organizations[orgID] = l
	}
	if len(l.waiters) == 0 && g.mayStart(l) {
		g.start(l)
		return nil, 0, nil
	}
	if g.waiting >= g.options.Waiting && !g.evict(l) {
		g.forget(orgID, l)
		return nil, 0, &OverloadError{Reason: ReasonQueueFull}
	}
	patience := g.patience(l)
	w := &waiter{turn: make(chan error, 1)}
	l.waiters = append(l.waiters, w)
	g.waiting++
	return w, patience, nil
}

// OneOrganization returns how many questions of one organization may be under way.
func (o GateOptions) OneOrganization() int { return max(1, o.UnderWay-max(1, o.UnderWay/4)) }

// mayStart reports whether there is capacity for another question of the organization.
func (g *Gate) mayStart(l *organization) bool {
	return g.underWay < g.options.UnderWay && l.underWay < g.options.OneOrganization()
}

func (g *Gate) start(l *organization) {
	g.turns++
	l.turn = g.turns
	l.underWay++
	g.underWay++
}

// evict sheds the newest question of the organization that has the most in the queue, if that is more than the
// newcomer would have. It reports whether it has.
func (g *Gate) evict(newcomer *organization) bool {
	var longest *organization
	for _, l := range g.organizations {
		if longest == nil || len(l.waiters) > len(longest.waiters) {
			longest = l
		}
	}
	last := len(longest.waiters) - 1
	if last < len(newcomer.waiters)+1 {
		return false
	}
	longest.waiters[last].turn <- &OverloadError{Reason: ReasonQueueFull}
	longest.waiters = longest.waiters[:last]
	g.waiting--
	return true
}

// patience returns how long a question of the organization that joins the queue now may wait. One that gets the next
// turn anyway is not what makes the queue stand.
func (g *Gate) patience(l *organization) time.Duration {
	if g.contention > standing && g.serviceTime > 0 && !g.isNext(l) {
		return min(g.serviceTime, g.options.Patience)
	}
	return g.options.Patience
}
