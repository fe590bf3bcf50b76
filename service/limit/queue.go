package limit

import (
	"context"
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
	g.noteEmpty()
	g.forget(orgID, l)
	return true
}

// leave gives a place back, and with it the turn to the next.
func (g *Gate) leave(orgID string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	l := g.lines[orgID]
	l.underWay--
	g.underWay--
	for next := g.next(); next != nil; next = g.next() {
		g.start(next)
		next.waiters[0].turn <- nil
		next.waiters = slices.Delete(next.waiters, 0, 1)
		g.waiting--
	}
	g.noteEmpty()
	g.forget(orgID, l)
}

// next is the organisation whose turn it is: of those that wait and may start, the one with the fewest questions under
// way; among equals the one whose last turn is longest ago. Few wait at a time, so they are looked at one by one.
func (g *Gate) next() *line {
	var next *line
	for _, l := range g.lines {
		if len(l.waiters) == 0 || !g.mayStart(l) {
			continue
		}
		if next == nil || l.underWay < next.underWay || l.underWay == next.underWay && l.served < next.served {
			next = l
		}
	}
	return next
}

func (g *Gate) noteEmpty() {
	if g.waiting == 0 {
		g.busyFrom = time.Time{}
	}
}

// forget drops an organisation that has nothing here any more.
func (g *Gate) forget(orgID string, l *line) {
	if l.underWay == 0 && len(l.waiters) == 0 {
		delete(g.lines, orgID)
	}
}
