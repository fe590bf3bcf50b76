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
		err = &OverloadError{Reason: ReasonWaited}
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if g.abandon(orgID, w) {
		return err
	}
	return <-w.turn // it came in the same moment
}

// abandon removes a waiter from the queue. It reports false when the waiter was sent its turn already.
func (g *Gate) abandon(orgID string, w *waiter) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.recordContention(time.Now())
	l := g.organizations[orgID]
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

// leave ends a question, and starts the next ones that may.
func (g *Gate) leave(orgID string, took time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.recordContention(time.Now())
	if g.serviceTime == 0 {
		g.serviceTime = took
	}
	g.serviceTime += (took - g.serviceTime) / smoothing
	l := g.organizations[orgID]
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

// next returns the organization whose turn it is, of those that wait and may start. Few wait at a time, so they are
// looked at one by one.
func (g *Gate) next() *organization {
	var next *organization
	for _, l := range g.organizations {
		if len(l.waiters) > 0 && g.mayStart(l) && (next == nil || l.before(next)) {
			next = l
		}
	}
	return next
}

// before reports whether the organization's turn comes before another's: the one with the fewest questions under way is
// first, and among equals the one whose last turn is longest ago.
func (l *organization) before(other *organization) bool {
	return l.underWay < other.underWay || l.underWay == other.underWay && l.turn < other.turn
}

// isNext reports whether a question that the organization asks now would have the next turn.
func (g *Gate) isNext(l *organization) bool {
	for _, other := range g.organizations {
		if other != l && len(other.waiters) > 0 && other.before(l) {
			return false
		}
	}
	return len(l.waiters) == 0
}

// recordContention counts the time since it was last called as time in which somebody waited, or nobody. It is called
// before that changes.
func (g *Gate) recordContention(now time.Time) {
	lately := float64(g.options.Patience) * latelyShare
	age := 1 - math.Exp(-float64(now.Sub(g.recorded))/lately)
	if g.waiting > 0 {
		g.contention += (1 - g.contention) * age
	} else {
		g.contention -= g.contention * age
	}
	g.recorded = now
}

// forget removes an organization that has no questions any more.
func (g *Gate) forget(orgID string, l *organization) {
	if l.underWay == 0 && len(l.waiters) == 0 {
		delete(g.organizations, orgID)
	}
}
