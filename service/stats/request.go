package stats

import (
	"context"
	"sync"
	"time"
)

// What the cache did for a question.
const (
	CacheHit    = "hit"    // it was answered from memory
	CacheShared = "shared" // it got the answer that an equal question was waiting for
	CacheMiss   = "miss"   // ClickHouse was asked
	CacheOff    = "off"    // ClickHouse was asked, because such answers are not kept
)

// Costs are what it took to answer a question.
type Costs struct {
	Cache      string        // one of the above; "" when it did not come to that
	Plan       string        // one of the kinds of plans, the last one if several were tried; "" when none was made
	Statements int           // on ClickHouse
	Rows       uint64        // that ClickHouse read for them
	Waited     time.Duration // for a place among the questions that are under way
}

// Account gathers the costs of a question while it is worked on. That may go on after the one who asked has left. A nil
// account takes everything and keeps nothing.
type Account struct {
	mu    sync.Mutex
	costs Costs
}

type accountKey struct{}

// WithAccount gives a context under which the costs of a question are gathered.
func WithAccount(ctx context.Context) (context.Context, *Account) {
	a := &Account{}
	return context.WithValue(ctx, accountKey{}, a), a
}

// accountOf is the account that WithAccount put into the context, nil without one.
func accountOf(ctx context.Context) *Account {
	a, _ := ctx.Value(accountKey{}).(*Account)
	return a
}

// AddStatement counts a statement that ran for the question of the context.
func AddStatement(ctx context.Context, rows uint64) {
	accountOf(ctx).note(func(c *Costs) { c.Statements++; c.Rows += rows })
}

// Costs are the costs so far.
func (a *Account) Costs() Costs {
	var costs Costs
	a.note(func(c *Costs) { costs = *c })
	return costs
}

func (a *Account) note(change func(*Costs)) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	change(&a.costs)
}

func (a *Account) cache(what string) { a.note(func(c *Costs) { c.Cache = what }) }

// ClickHouse (since 25.4) stops a statement, wherever it next reads a block, while another of a smaller number runs,
// but not for longer than the wait each time.
const (
	ordinaryPriority  = 1
	givingWayPriority = 2
	givingWayWait     = 100 // milliseconds
)

type givingWayKey struct{}

// GivingWay gives a context whose questions wait, once they are being worked on, while others are: for who asks as much
// as it may, so that others don't notice.
func GivingWay(ctx context.Context) context.Context {
	return context.WithValue(ctx, givingWayKey{}, true)
}

// prioritySettings are the settings of the statements of a question.
func prioritySettings(ctx context.Context) map[string]any {
	if ctx.Value(givingWayKey{}) != nil {
		return map[string]any{"priority": givingWayPriority, "low_priority_query_wait_time_ms": givingWayWait, "max_threads": 1}
	}
	return map[string]any{"priority": ordinaryPriority}
}

type requestIDKey struct{}

// WithRequestID gives a context that carries the id of the request that a question comes from, for the query's
// log_comment.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestIDKey{}, id)
}

// RequestID is the id that WithRequestID put into the context, "" without one.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestIDKey{}).(string)
	return id
}
