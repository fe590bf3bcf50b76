package loadtest

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Run sends requests at a rate, in requests a second, for a time, and waits for their answers. When the context ends it sends no
// more, and reports what was sent until then.
func (t *Test) Run(ctx context.Context, rate int, duration time.Duration) *Run {
	attacker := vegeta.NewAttacker(vegeta.Client(t.client))
	stop := context.AfterFunc(ctx, func() { attacker.Stop() })
	defer stop()
	c := newCollector(rate, duration)
	t.tell(c)
	defer t.tell(nil)
	for result := range attacker.Attack(t.targeter(c), vegeta.Rate{Freq: rate, Per: time.Second}, duration, "") {
		c.add(result, t.options.Verifier)
	}
	return c.close()
}

// tell makes a run the one whose progress is told.
func (t *Test) tell(c *collector) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.current = c
}

// Progress tells how the run under way goes, as a line; "" between runs.
func (t *Test) Progress() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.current == nil {
		return ""
	}
	return t.current.progress()
}

// targeter gives vegeta one request after the other.
func (t *Test) targeter(c *collector) vegeta.Targeter {
	return func(target *vegeta.Target) error {
		r := t.mix.next(time.Since(t.started))
		target.Method = http.MethodGet
		target.URL = t.target + "?" + r.query.Encode()
		target.Header = http.Header{
			"Authorization": {"Bearer " + r.caller.Token},
			requestIDHeader: {c.expect(r)},
		}
		return nil
	}
}

// expectations are the requests that wait for their answers, by request id.
type expectations struct {
	mu      sync.Mutex
	prefix  string
	sent    uint64
	waiting map[string]request
}

func newExpectations() expectations {
	return expectations{prefix: fmt.Sprintf("loadtest-%x-", time.Now().UnixMilli()), waiting: map[string]request{}}
}

// expect notes a request, and gives the id to send it under.
func (e *expectations) expect(r request) (id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sent++
	id = fmt.Sprint(e.prefix, e.sent)
	e.waiting[id] = r
	return id
}

// answered gives the request of an answer.
func (e *expectations) answered(id string) (request, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r, ok := e.waiting[id]
	delete(e.waiting, id)
	return r, ok
}
