package loadtest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Run sends requests at a rate, in requests a second, for a time, and waits for their answers. When the context ends,
// it stops sending, and reports what was sent until then.
func (t *Test) Run(ctx context.Context, rate int, duration time.Duration) *Run {
	c := newCollector(rate, duration)
	t.tell(c)
	defer t.tell(nil)
	t.attack(ctx, c)
	return c.close()
}

// attack sends a run's requests, and adds their results to the collector.
func (t *Test) attack(ctx context.Context, c *collector) {
	attacker := vegeta.NewAttacker(vegeta.Client(&t.client))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	for result := range attacker.Attack(t.targeter(c), vegeta.Rate{Freq: c.rate, Per: time.Second}, c.duration, "") {
		c.add(result, t.options.Verifier)
	}
}

// tell sets the run whose progress Progress reports.
func (t *Test) tell(c *collector) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = c
}

// Progress returns the progress of the current run as a line; "" between runs.
func (t *Test) Progress() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == nil {
		return ""
	}
	return t.current.progress()
}

// targeter returns what passes one request after the other to vegeta.
func (t *Test) targeter(c *collector) vegeta.Targeter {
	return func(target *vegeta.Target) error {
		r := t.mix.next(time.Since(t.started))
		id := c.expect(r)
		target.Method = http.MethodGet
		target.URL = t.target + "?" + r.query.Encode() + "#" + id // a fragment is not sent, and the result has it
		target.Header = http.Header{"Authorization": {"Bearer " + r.caller.Token}, requestIDHeader: {id}}
		return nil
	}
}

// expectations holds the requests of a run that wait for their answers.
type expectations struct {
	mu     sync.Mutex
	prefix string
	sent   uint64
	byID   map[string]request
}

func newExpectations() expectations {
	return expectations{prefix: fmt.Sprintf("loadtest-%x-", time.Now().UnixMilli()), byID: map[string]request{}}
}

// expect stores a request, and returns the id to send it under.
func (e *expectations) expect(r request) (id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent++
	id = fmt.Sprint(e.prefix, e.sent)
	e.byID[id] = r
	return id
}

// answered returns the request of a result, whose URL has the request's id as its fragment.
func (e *expectations) answered(url string) request {
	_, id, _ := strings.Cut(url, "#")
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.byID[id]
	delete(e.byID, id)
	return r
}

// counts returns how many requests were sent, and how many of them wait for their answers.
func (e *expectations) counts() (sent uint64, underWay int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sent, len(e.byID)
}
