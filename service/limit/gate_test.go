package limit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

const patient = enginetest.Patience // longer than any test

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
	enginetest.Await(t, "the question has arrived", func() bool {
		return waitingOf(g, org) > before || a.settled()
	})
	return a
}

func waitingOf(g *Gate, org string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if l := g.organizations[org]; l != nil {
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
	enginetest.Await(t, "the turn comes", a.settled)
	if a.err != nil {
		t.Fatalf("%s was refused: %v", a.org, a.err)
	}
}

func (a *asker) expectRefused(t *testing.T, reason Reason) {
	t.Helper()
	enginetest.Await(t, "the question is refused", a.settled)
	overload, ok := errors.AsType[*OverloadError](a.err)
	if !ok || overload.Reason != reason || !errors.Is(a.err, ErrOverloaded) {
		t.Fatalf("%s: got %v, want %s", a.org, a.err, reason)
	}
}

func expectLoad(t *testing.T, g *Gate, underWay, waiting int) {
	t.Helper()
	if u, w := g.Load(); u != underWay || w != waiting {
		t.Errorf("%d under way and %d waiting, want %d and %d", u, w, underWay, waiting)
	}
}

func TestPlacesAndQueueAreBounded(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 3, Waiting: 2, Patience: patient}) // two of them for one organization
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
	if len(g.organizations) != 0 {
		t.Errorf("%d organizations are remembered", len(g.organizations))
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

func TestTurnsGoToWhoHasTheFewestUnderWay(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 4, Waiting: 10, Patience: patient})
	ask(t, g, "noisy").expectStarted(t)
	ask(t, g, "noisy").expectStarted(t)
	others := []*asker{ask(t, g, "steady"), ask(t, g, "calm")}
	for _, a := range others {
		a.expectStarted(t)
	}
	noisy, quiet := ask(t, g, "noisy"), ask(t, g, "quiet")
	others[0].leave()
	quiet.expectStarted(t)
	if noisy.settled() {
		t.Error("an organization with two under way got a turn before one with none")
	}
	others[1].leave()
	noisy.expectStarted(t)
}

func TestEqualsTakeTurns(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 1, Waiting: 10, Patience: patient})
	now := ask(t, g, "a")
	now.expectStarted(t)
	var waiting []*asker
	for _, org := range []string{"a", "a", "a", "b", "b", "c"} {
		waiting = append(waiting, ask(t, g, org))
	}
	order := ""
	for len(waiting) > 0 {
		now.leave()
		enginetest.Await(t, "somebody's turn comes", func() bool {
			i := slices.IndexFunc(waiting, (*asker).settled)
			if i < 0 {
				return false
			}
			now = waiting[i]
			waiting = slices.Delete(waiting, i, i+1)
			return true
		})
		order += now.org
	}
	if order != "abcaba" {
		t.Errorf("the turns are %s, want abcaba", order)
	}
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
			t.Errorf("of %d places one organization has more than %d", row.places, row.ofOne)
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
	const second, takes = time.Second, 30 * time.Millisecond
	for _, row := range []struct {
		why     string
		waiting []time.Duration // by turns somebody waits for so long, and nobody does
		org     string
		want    time.Duration
	}{
		{"nobody waited so far", nil, "busy", 2 * second},
		{"a burst", []time.Duration{700 * time.Millisecond}, "busy", 2 * second},
		{"the queue stands: as long as a question takes", []time.Duration{second}, "busy", takes},
		{"though it is empty for moments", []time.Duration{second, 10 * time.Millisecond, 90 * time.Millisecond, 10 * time.Millisecond}, "busy", takes},
		{"it was empty for some time", []time.Duration{second, second}, "busy", 2 * second},
		{"now and then somebody waits", []time.Duration{second, second, second / 10, second / 10, second / 10, second / 10, second / 10}, "busy", 2 * second},
		{"an organization that is the next makes no queue stand", []time.Duration{second}, "quiet", 2 * second},
	} {
		g := NewGate(GateOptions{UnderWay: 1, Waiting: 4, Patience: 2 * second})
		g.serviceTime = takes
		g.organizations["busy"], g.organizations["quiet"] = &organization{underWay: 1, waiters: []*waiter{{}}}, &organization{}
		now := time.Now()
		g.recordContention(now)
		for i, period := range row.waiting {
			g.waiting = 1 - i%2
			now = now.Add(period)
			g.recordContention(now)
		}
		if got := g.patience(g.organizations[row.org]); got != row.want {
			t.Errorf("%s: patience %s, want %s", row.why, got, row.want)
		}
	}
}

func TestTheGateLearnsWhatAQuestionTakes(t *testing.T) {
	g := NewGate(GateOptions{UnderWay: 1, Waiting: 1, Patience: patient})
	ask(t, g, "a").expectStarted(t)
	for _, row := range []struct{ took, want time.Duration }{
		{160, 160}, {160, 160}, {320, 170}, {0, 160}, // nanoseconds
	} {
		g.underWay, g.organizations["a"] = 1, &organization{underWay: 1}
		g.leave("a", row.took)
		if g.serviceTime.Round(5) != row.want {
			t.Errorf("after %d: a question takes %d, want %d", row.took, g.serviceTime, row.want)
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
	enginetest.Await(t, "the question is given up", second.settled)
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
	if len(g.organizations) != 0 {
		t.Errorf("%d organizations are remembered", len(g.organizations))
	}
	if through.Load() == 0 {
		t.Errorf("nobody came through, %d were refused", refused.Load())
	}
}
