package limit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const patient = time.Minute // longer than any test

// asker is a question that is at the gate.
type asker struct {
	org   string
	leave func()
	err   error
	done  chan struct{}
}

// ask brings a question to the gate and returns once it is let through, refused or in the queue.
func ask(t *testing.T, g *Gate, org string) *asker {
	t.Helper()
	return askUntil(t, context.Background(), g, org)
}

func askUntil(t *testing.T, ctx context.Context, g *Gate, org string) *asker {
	t.Helper()
	a := &asker{org: org, done: make(chan struct{})}
	before := waitingOf(g, org)
	go func() {
		a.leave, a.err = g.Enter(ctx, org)
		close(a.done)
	}()
	eventually(t, "the question has arrived", func() bool {
		return waitingOf(g, org) > before || a.settled()
	})
	return a
}

func waitingOf(g *Gate, org string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.lines[org]; l != nil {
		return len(l.waiters)
	}
	return 0
}

func (a *asker) settled() bool {
	select {
	case <-a.done:
		return true
	default:
		return false
	}
}

func (a *asker) expectStarted(t *testing.T) {
	t.Helper()
	eventually(t, "the turn comes", a.settled)
	if a.err != nil {
		t.Fatalf("%s was refused: %v", a.org, a.err)
	}
}

func (a *asker) expectRefused(t *testing.T, reason Reason) {
	t.Helper()
	eventually(t, "the question is refused", a.settled)
	busy, ok := errors.AsType[*BusyError](a.err)
	if !ok || busy.Reason != reason || !errors.Is(a.err, ErrBusy) {
		t.Fatalf("%s: got %v, want %s", a.org, a.err, reason)
	}
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patient); !condition(); time.Sleep(100 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
	}
}

func expectLoad(t *testing.T, g *Gate, underWay, waiting int) {
	t.Helper()
	if u, w := g.Load(); u != underWay || w != waiting {
		t.Errorf("%d under way and %d waiting, want %d and %d", u, w, underWay, waiting)
	}
}

func TestPlacesAndQueueAreBounded(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 3, Waiting: 2, Patience: patient}) // two of them for one organisation
	first, second, third, fourth := ask(t, g, "a"), ask(t, g, "a"), ask(t, g, "a"), ask(t, g, "a")
	first.expectStarted(t)
	second.expectStarted(t)
	ask(t, g, "a").expectRefused(t, ReasonQueueFull)
	expectLoad(t, g, 2, 2)
	first.leave()
	third.expectStarted(t)
	if fourth.settled() {
		t.Error("the fourth came before its turn")
	}
	second.leave()
	third.leave()
	fourth.expectStarted(t)
	fourth.leave()
	expectLoad(t, g, 0, 0)
	if len(g.lines) != 0 {
		t.Errorf("%d organisations are remembered", len(g.lines))
	}
}

func TestZeroIsNoLimit(t *testing.T) {
	g := NewGate(GateOptions{})
	for range 100 {
		if _, err := g.Enter(context.Background(), "a"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTurnsGoToWhoHasTheFewest(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 3, Waiting: 10, Patience: patient})
	running := []*asker{ask(t, g, "noisy"), ask(t, g, "noisy"), ask(t, g, "steady")}
	noisy := []*asker{ask(t, g, "noisy"), ask(t, g, "noisy"), ask(t, g, "noisy")}
	quiet, calm, still := ask(t, g, "quiet"), ask(t, g, "calm"), ask(t, g, "still")
	running[0].leave()
	running[1].leave()
	running[2].leave()
	quiet.expectStarted(t)
	calm.expectStarted(t)
	still.expectStarted(t)
	for _, a := range noisy {
		if a.settled() {
			t.Fatal("the noisy organisation came before one with nothing under way")
		}
	}
	quiet.leave()
	noisy[0].expectStarted(t)
}

func TestFullQueueMakesRoomForOthers(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 1, Waiting: 4, Patience: patient})
	ask(t, g, "noisy").expectStarted(t)
	queued := []*asker{ask(t, g, "noisy"), ask(t, g, "noisy"), ask(t, g, "noisy"), ask(t, g, "noisy")}
	quiet := ask(t, g, "quiet")
	queued[3].expectRefused(t, ReasonQueueFull)
	ask(t, g, "noisy").expectRefused(t, ReasonQueueFull)
	ask(t, g, "quiet")
	queued[2].expectRefused(t, ReasonQueueFull)
	ask(t, g, "quiet").expectRefused(t, ReasonQueueFull) // each has half of the queue now
	if quiet.settled() {
		t.Error("nobody left, and yet a turn came")
	}
	expectLoad(t, g, 1, 4)
}

func TestSomePlacesAreForOthers(t *testing.T) {
	for _, row := range []struct{ places, ofOne int }{{1, 1}, {2, 1}, {3, 2}, {4, 3}, {8, 6}, {16, 12}} {
		g := NewGate(GateOptions{UnderWay: row.places, Waiting: 4, Patience: patient})
		for range row.ofOne {
			ask(t, g, "noisy").expectStarted(t)
		}
		next := ask(t, g, "noisy")
		if next.settled() {
			t.Errorf("of %d places one organisation has more than %d", row.places, row.ofOne)
		}
		if row.places > row.ofOne {
			ask(t, g, "quiet").expectStarted(t)
		}
	}
}

func TestPatienceEnds(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 1, Waiting: 4, Patience: time.Millisecond})
	first := ask(t, g, "a")
	ask(t, g, "b").expectRefused(t, ReasonWaited)
	first.leave()
	expectLoad(t, g, 0, 0)
}

func TestAStandingQueueIsLessPatient(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 1, Waiting: 4, Patience: time.Second})
	start := time.Now()
	busy, quiet := &line{underWay: 1}, &line{}
	for _, row := range []struct {
		why         string
		org         *line
		at          time.Duration
		emptyBefore bool
		want        time.Duration
	}{
		{"the first that waits", busy, 0, false, time.Second},
		{"a burst", busy, 900 * time.Millisecond, false, time.Second},
		{"the queue has stood for too long", busy, 1100 * time.Millisecond, false, 100 * time.Millisecond},
		{"but not because of this organisation", quiet, 1100 * time.Millisecond, false, time.Second},
		{"it was empty meanwhile", busy, 1200 * time.Millisecond, true, time.Second},
	} {
		if row.emptyBefore {
			g.noteEmpty()
		}
		if got := g.patience(row.org, start.Add(row.at)); got != row.want {
			t.Errorf("%s: patience %s, want %s", row.why, got, row.want)
		}
	}
}

func TestWhoGivesUpLeavesTheQueue(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 1, Waiting: 4, Patience: patient})
	first := ask(t, g, "a")
	gone := errors.New("gone")
	ctx, cancel := context.WithCancelCause(context.Background())
	second, third := askUntil(t, ctx, g, "b"), ask(t, g, "c")
	cancel(gone)
	eventually(t, "the question is given up", second.settled)
	if !errors.Is(second.err, gone) {
		t.Errorf("got %v, want the context's cause", second.err)
	}
	expectLoad(t, g, 1, 1)
	first.leave()
	third.expectStarted(t)
}

// Many ask, wait, give up and leave at random; the bounds hold at every moment, and nothing is left at the end.
func TestBoundsHoldInTheThickOfIt(t *testing.T) {
	const places, queue = 4, 6
	g := NewGate(GateOptions{UnderWay: places, Waiting: queue, Patience: 2 * time.Millisecond})
	var inside, through, refused atomic.Int64
	var all sync.WaitGroup
	for n := range 16 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(n)))
			for range 300 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(random.IntN(4000))*time.Microsecond)
				leave, err := g.Enter(ctx, fmt.Sprint("org", random.IntN(5)))
				if err != nil {
					refused.Add(1)
					cancel()
					continue
				}
				if now := inside.Add(1); now > places {
					t.Errorf("%d are inside", now)
				}
				if _, waiting := g.Load(); waiting > queue {
					t.Errorf("%d wait", waiting)
				}
				through.Add(1)
				inside.Add(-1)
				leave()
				cancel()
			}
		})
	}
	all.Wait()
	expectLoad(t, g, 0, 0)
	if len(g.lines) != 0 || !g.busyFrom.IsZero() {
		t.Errorf("left behind: %d lines, busy from %v", len(g.lines), g.busyFrom)
	}
	if through.Load() == 0 {
		t.Errorf("nobody came through, %d were refused", refused.Load())
	}
}
