package limit

import (
	"context"
	"math"
	"slices"
	"time"
)

// await waits for the waiter's turn.
func (g *Gate) await(ctx context.Context, orgID string, w *waiter, patience time.Duration) error {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var err error
	select {
	case err := <-w.turn:
		return err
	case <-timer.C:
		err = &BusyError{Reason: ReasonWaited}
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if g.giveUp(orgID, w) {
		return err
	}
	return <-w.turn // it came in the same moment
}

// giveUp takes a waiter out of the queue. It reports false when its turn has been told already.
func (g *Gate) giveUp(orgID string, w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noteWaiting(time.Now())
	l := g.lines[orgID]
	if l == nil {
		return false
	}
	i := slices.Index(l.waiters, w)
	if i < 0 {
		return false
	}
	l.waiters = slices.Delete(l.waiters, i, i+1)
	g.waiting--
	g.forget(orgID, l)
	return true
}

// leave gives a place back, and with it the turn to the next.
func (g *Gate) leave(orgID string, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.noteWaiting(time.Now())
	if g.takes == 0 {
		g.takes = took
	}
	g.takes += (took - g.takes) / smoothing
	l := g.lines[orgID]
	l.underWay--
	g.underWay--
	for next := g.next(); next != nil; next = g.next() {
		g.start(next)
		next.waiters[0].turn <- nil
		next.waiters = slices.Delete(next.waiters, 0, 1)
		g.waiting--
	}
	g.forget(orgID, l)
}

// next is the organization whose turn it is, of those that wait and may start. Few wait at a time, so they are looked
// at one by one.
func (g *Gate) next() *line {
	var next *line
	for _, l := range g.lines {
		if len(l.waiters) > 0 && g.mayStart(l) && (next == nil || l.before(next)) {
			next = l
		}
	}
	return next
}

// before tells whether the organization's turn comes before another's: the one with the fewest questions under way is
// first, and among equals the one whose last turn is longest ago.
func (l *line) before(other *line) bool {
	return l.underWay < other.underWay || l.underWay == other.underWay && l.served < other.served
}

// isNext tells whether a question that the organization brings now would get the next turn.
func (g *Gate) isNext(l *line) bool {
	for _, other := range g.lines {
		if other != l && len(other.waiters) > 0 && other.before(l) {
			return false
		}
	}
	return len(l.waiters) == 0
}

// noteWaiting counts the time since it was last called as one in which somebody waited, or nobody. It is called before
// that changes.
func (g *Gate) noteWaiting(now time.Time) {
	lately := float64(g.options.Patience) * latelyShare
	age := 1 - math.Exp(-float64(now.Sub(g.noted))/lately)
	if g.waiting > 0 {
		g.crowded += (1 - g.crowded) * age
	} else {
		g.crowded -= g.crowded * age
	}
	g.noted = now
}

// forget drops an organization that has nothing here any more.
func (g *Gate) forget(orgID string, l *line) {
	if l.underWay == 0 && len(l.waiters) == 0 {
		delete(g.lines, orgID)
	}
}
