package loadtest

import (
	"context"
	"net/http"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// Run sends requests at a rate, in requests a second, for a time, and waits for their answers. When the context ends,
// it stops sending, and reports what was sent until then.
func (t *Test) Run(ctx context.Context, rate int, duration time.Duration) *Run {
	c := newCollector(rate, duration)
	t.current.Store(c)
	defer t.current.Store(nil)
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

// Progress returns the progress of the current run as a line; "" between runs.
func (t *Test) Progress() string {
	if c := t.current.Load(); c != nil {
		return c.progress()
	}
	return ""
}

// targeter returns what passes one request after the other to vegeta.
func (t *Test) targeter(c *collector) vegeta.Targeter {
	return func(target *vegeta.Target) error {
		r := t.mix.next(time.Since(t.started))
		id := c.expect(r)
		target.Method = http.MethodGet
		target.URL = t.urlOf(r) + "#" + id // a fragment is not sent, and the result has it
		target.Header = http.Header{"Authorization": {"Bearer " + r.caller.Token}, requestIDHeader: {id}}
		return nil
	}
}
