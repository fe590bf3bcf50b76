// Package limit bounds what the service takes on: Gate bounds the questions that are worked on and that wait, Rates how
// often an organisation and a user may ask. Both are fair: whatever one organisation does, the others get their turn.
package limit

import (
	"context"
	"sync"
	"time"
)

// standingShare is the part of the patience that is left once the queue has not been empty for as long as the patience is.
// A burst may wait; in a queue that stands, waiting helps nobody, so it is kept short. (The idea is CoDel's, as in "Fail at
// Scale", ACM Queue 13/8.)
const standingShare = 10

// GateOptions bound a gate.
type GateOptions struct {
	UnderWay int           // questions worked on at once; 0 sets no limit at all
	Waiting  int           // questions that may wait for their turn
	Patience time.Duration // how long a question may wait
}

// Gate lets a bounded number of questions through at once, and a bounded number wait for a bounded time. When a place is
// free, it goes to the organisation that waits and has the fewest questions under way; when the queue is full, the
// organisation that has the most in it loses its newest. A quarter of the places, at least one, is never given to one
// organisation alone.
type Gate struct {
	options GateOptions

	mu       sync.Mutex
	underWay int
	waiting  int
	lines    map[string]*line // of the organisations that have questions here
	busyFrom time.Time        // since when the queue has not been empty; zero while it is
	served   uint64           // counts turns
}

// line is what one organisation has at the gate.
type line struct {
	underWay int
	waiters  []*waiter // oldest first
	served   uint64    // its last turn
}

// waiter is a question that waits. Its turn is told once, with nil or with the error that it is refused with.
type waiter struct{ turn chan error }

// NewGate makes a gate.
func NewGate(o GateOptions) *Gate { return &Gate{options: o, lines: map[string]*line{}} }

// Enter waits for the turn of a question of the organisation; leave must be called when the question is done with. The
// error is a *BusyError, or the context's.
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
	return func() { g.leave(orgID) }, nil
}

// Options are what the gate was made with.
func (g *Gate) Options() GateOptions { return g.options }

// Load tells how many questions are under way and how many wait.
func (g *Gate) Load() (underWay, waiting int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.underWay, g.waiting
}

// join takes a place (the waiter is nil then) or a position in the queue.
func (g *Gate) join(orgID string) (*waiter, time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[orgID]
	if l == nil {
		l = &line{}
		g.lines[orgID] = l
	}
	if len(l.waiters) == 0 && g.mayStart(l) {
		g.start(l)
		return nil, 0, nil
	}
	if g.waiting >= g.options.Waiting && !g.makeRoom(l) {
		g.forget(orgID, l)
		return nil, 0, &BusyError{Reason: ReasonQueueFull}
	}
	patience := g.patience(l, time.Now())
	w := &waiter{turn: make(chan error, 1)}
	l.waiters = append(l.waiters, w)
	g.waiting++
	return w, patience, nil
}

// OneOrganization is how many questions of one organisation may be under way.
func (o GateOptions) OneOrganization() int { return max(1, o.UnderWay-max(1, o.UnderWay/4)) }

// mayStart tells whether there is a place for another question of the organisation.
func (g *Gate) mayStart(l *line) bool {
	return g.underWay < g.options.UnderWay && l.underWay < g.options.OneOrganization()
}

func (g *Gate) start(l *line) {
	g.served++
	l.served = g.served
	l.underWay++
	g.underWay++
}

// makeRoom refuses the newest question of the organisation that has the most in the queue, if that is more than the
// newcomer's would have.
func (g *Gate) makeRoom(newcomer *line) bool {
	var longest *line
	for _, l := range g.lines {
		if longest == nil || len(l.waiters) > len(longest.waiters) {
			longest = l
		}
	}
	last := len(longest.waiters) - 1
	if last < len(newcomer.waiters)+1 {
		return false
	}
	longest.waiters[last].turn <- &BusyError{Reason: ReasonQueueFull}
	longest.waiters = longest.waiters[:last]
	g.waiting--
	return true
}

// patience is how long a question of the organisation that joins the queue now may wait. One that has nothing else here is
// not what makes the queue stand, and is the next to get a turn.
func (g *Gate) patience(l *line, now time.Time) time.Duration {
	if g.busyFrom.IsZero() {
		g.busyFrom = now
	}
	if l.underWay+len(l.waiters) > 0 && now.Sub(g.busyFrom) > g.options.Patience {
		return g.options.Patience / standingShare
	}
	return g.options.Patience
}
