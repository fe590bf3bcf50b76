package loadtest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/retry"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	// verifyEvery is the interval at which answers are compared: short enough to compare many, long enough that the
	// plain queries, which cost ClickHouse more than the answers, do not become the load.
	verifyEvery = 100 * time.Millisecond
	// watchEvery is the interval at which the change counters are read.
	watchEvery = 250 * time.Millisecond
	plainTime  = time.Minute // that a plain query may take
)

// Verified is the result of comparing samples of the answers with the plain query.
type Verified struct {
	Compared  uint64 `json:"compared"` // answers
	Equal     uint64 `json:"equal"`
	Different uint64 `json:"different"`
	// Changing is how many answers were skipped, because records of their organization changed around them, so that the
	// right answer of that moment can't be queried anymore.
	Changing    uint64    `json:"changing"`
	Differences []Failure `json:"differences,omitempty"`
}

// sample is an answer to compare.
type sample struct {
	request
	body []byte // compact
	sent time.Time
}

// Verifier compares samples of the answers with the plain query, one at a time. An answer can only be compared if
// nothing in its organization changes from before it was requested until the plain query has ended, which the
// organizations' change counters, read continuously, show.
type Verifier struct {
	conn  clickhouse.Conn
	store *stats.Store
	age   time.Duration

	samples chan sample
	stop    context.CancelFunc
	running errgroup.Group

	result Verified // of compareNext alone
	wrong  examples

	mu       sync.Mutex
	counters map[string]seen
}

// seen is a change counter, and the time since which it is known to have that value.
type seen struct {
	counter uint64
	since   time.Time
}

// StartVerifier starts a verifier on the deployment's own database, and returns when answers can be compared. The age
// is how long after a change the deployment may still return an answer from before it (--cache-age).
func StartVerifier(ctx context.Context, conn clickhouse.Conn, age time.Duration) (*Verifier, error) {
	v := &Verifier{
		conn: conn, store: stats.NewStore(conn, stats.Options{}), age: age,
		samples: make(chan sample), counters: map[string]seen{},
	}
	if err := v.watch(ctx); err != nil {
		return nil, err
	}
	// Answers of the first moments may be from before the counters were read.
	if err := retry.Wait(ctx, age); err != nil {
		return nil, err
	}
	ctx, v.stop = context.WithCancel(context.WithoutCancel(ctx))
	v.running.Go(func() error { return repeat(ctx, watchEvery, v.watch) })
	v.running.Go(func() error { return repeat(ctx, verifyEvery, v.compareNext) })
	return v, nil
}

// Close stops the verifier and returns what it found.
func (v *Verifier) Close() (Verified, error) {
	v.stop()
	err := v.running.Wait()
	v.result.Differences = v.wrong.list()
	return v.result, err
}

// repeat calls do at an interval until the context ends or an error occurs.
func repeat(ctx context.Context, every time.Duration, do func(context.Context) error) error {
	for retry.Wait(ctx, every) == nil {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			return fmt.Errorf("verify answers: %w", err)
		}
	}
	return nil
}

// offer offers an answer to compare; it is accepted when the next one is due.
func (v *Verifier) offer(s sample) {
	if v == nil {
		return
	}
	select {
	case v.samples <- s:
	default:
	}
}

func (v *Verifier) compareNext(ctx context.Context) error {
	select {
	case s := <-v.samples:
		return v.compare(ctx, s)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// compare runs the plain query and reads the counter again.
func (v *Verifier) compare(ctx context.Context, s sample) error {
	before := v.counter(s.question.OrgID)
	if before.counter%2 == 1 || s.sent.Add(-v.age).Before(before.since) {
		v.result.Changing++
		return nil
	}
	ctx, cancel := clickhouse.WithStatement(ctx, clickhouse.Statement{Comment: comment, Limits: clickhouse.Limits{Time: plainTime}})
	defer cancel()
	plain, err := v.store.Plain(ctx, s.question)
	if err != nil {
		return err
	}
	if err := v.watch(ctx); err != nil {
		return err
	}
	if v.counter(s.question.OrgID) != before {
		v.result.Changing++
		return nil
	}
	return v.judge(s, plain)
}

func (v *Verifier) judge(s sample, plain stats.Answer) error {
	want, err := render(s.question, plain)
	if err != nil {
		return err
	}
	v.result.Compared++
	if bytes.Equal(s.body, want) {
		v.result.Equal++
		return nil
	}
	v.result.Different++
	got, other := difference(s.body, want)
	v.wrong.add(fmt.Sprintf("organization %s, %s, %s: answered %s, plain query %s", s.question.OrgID, s.endpoint, s.query.Encode(), got, other))
	return nil
}

// difference returns where two texts begin to differ, with some of what is before that.
func difference(a, b []byte) (ofA, ofB string) {
	const context = 80
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	from := max(0, n-context)
	return "…" + shorten(string(a[from:])), "…" + shorten(string(b[from:]))
}
