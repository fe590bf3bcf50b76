package loadtest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
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
	client := t.client
	client.Transport = numbering{t.client.Transport, &c.expectations}
	attacker := vegeta.NewAttacker(vegeta.Client(&client))
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
		target.Method = http.MethodGet
		target.URL = t.target + "?" + r.query.Encode()
		target.Header = http.Header{
			"Authorization": {"Bearer " + r.caller.Token},
			requestIDHeader: {c.expect(r)},
		}
		return nil
	}
}

// expectations holds the requests of a run that wait for their answers.
type expectations struct {
	mu       sync.Mutex
	prefix   string
	sent     uint64
	byID     map[string]request // those that vegeta has not numbered yet
	byNumber map[uint64]request
}

func newExpectations() expectations {
	return expectations{
		prefix: fmt.Sprintf("loadtest-%x-", time.Now().UnixMilli()), byID: map[string]request{}, byNumber: map[uint64]request{},
	}
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

// number stores the number under which vegeta will report a request's result.
func (e *expectations) number(id string, number uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.byNumber[number] = e.byID[id]
	delete(e.byID, id)
}

// answered returns the request of a result.
func (e *expectations) answered(number uint64) request {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.byNumber[number]
	delete(e.byNumber, number)
	return r
}

// counts returns how many requests were sent, and how many of them wait for their answers.
func (e *expectations) counts() (sent uint64, underWay int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.sent, len(e.byID) + len(e.byNumber)
}

// numbering is a transport that learns each request's number, which vegeta assigns only after the request was created,
// when it is sent.
type numbering struct {
	next         http.RoundTripper
	expectations *expectations
}

const numberHeader = "X-Vegeta-Seq"

// RoundTrip sends a request.
func (n numbering) RoundTrip(r *http.Request) (*http.Response, error) {
	number, err := strconv.ParseUint(r.Header.Get(numberHeader), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("vegeta has not numbered the request: %w", err)
	}
	n.expectations.number(r.Header.Get(requestIDHeader), number)
	return n.next.RoundTrip(r)
}
