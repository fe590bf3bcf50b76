package stats

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// CacheOptions bound a cache. The zero value is no cache.
type CacheOptions struct {
	Size int // answers kept; 0 keeps none
	// MaxAge is how long after a change of an organization an answer from before may still be given: the change
	// counter is asked for when it was last seen longer ago than this.
	MaxAge time.Duration
}

// maxCachedText is how many bytes of text a question may have to be kept; a caller chooses them freely.
const maxCachedText = 1024

// Cache answers questions from memory for as long as nothing of their organization has changed. Equal questions that
// arrive together are asked once. It keeps no errors. A question names its organization and everything that limits what
// is seen of it, so that no answer is given to another question.
type Cache struct {
	store   *Store
	maxAge  time.Duration
	answers *lru.Cache[Question, keptAnswer]
	flights flights[Question, keptAnswer]

	mu       sync.Mutex
	counters map[string]seenCounter
	checks   flights[string, uint64]
}

type keptAnswer struct {
	figures Figures
	counter uint64
}

// seenCounter is an organization's change counter, and when it was asked for.
type seenCounter struct {
	counter uint64
	at      time.Time
}

// NewCache puts a cache before a store.
func NewCache(store *Store, o CacheOptions) *Cache {
	c := &Cache{store: store, maxAge: o.MaxAge, counters: map[string]seenCounter{}}
	c.flights.joinable, c.checks.joinable = o.MaxAge, o.MaxAge
	if o.Size > 0 {
		answers, err := lru.New[Question, keptAnswer](o.Size)
		if err != nil {
			panic(err) // only for a size below 1
		}
		c.answers = answers
	}
	return c
}

// Answer is Store.Answer, from memory where that is as good.
func (c *Cache) Answer(ctx context.Context, q Question) (Figures, error) {
	if c.answers == nil || len(q.AgentID)+len(q.UserID)+len(q.MetadataKey)+len(q.MetadataValue) > maxCachedText {
		accountOf(ctx).cache(CacheOff)
		return c.store.Answer(ctx, q)
	}
	if kept, ok := c.answers.Get(q); ok {
		counter, err := c.counter(ctx, q.OrgID)
		if err != nil {
			return Figures{}, err
		}
		if counter == kept.counter {
			accountOf(ctx).cache(CacheHit)
			return kept.figures, nil
		}
	}
	accountOf(ctx).cache(CacheShared) // unless it is this question's own call
	answer, err := c.flights.do(ctx, q, func(ctx context.Context) (keptAnswer, error) {
		accountOf(ctx).cache(CacheMiss)
		return c.ask(ctx, q)
	})
	return answer.figures, err
}

// Len is how many answers are kept.
func (c *Cache) Len() int {
	if c.answers == nil {
		return 0
	}
	return c.answers.Len()
}

// ask asks the store, and keeps the answer if it belongs to a state that lasts.
func (c *Cache) ask(ctx context.Context, q Question) (keptAnswer, error) {
	asked := time.Now()
	figures, counter, err := c.store.answerAt(ctx, q)
	answer := keptAnswer{figures, counter}
	if err == nil && counter != 0 {
		c.answers.Add(q, answer)
		c.saw(q.OrgID, seenCounter{counter, asked})
	}
	return answer, err
}

// counter is the organization's change counter as it was at most maxAge ago.
func (c *Cache) counter(ctx context.Context, orgID string) (uint64, error) {
	c.mu.Lock()
	seen, ok := c.counters[orgID]
	c.mu.Unlock()
	if ok && time.Since(seen.at) < c.maxAge {
		return seen.counter, nil
	}
	return c.checks.do(ctx, orgID, func(ctx context.Context) (uint64, error) {
		asked := time.Now()
		counter, err := c.store.counter(ctx, orgID)
		if err == nil {
			c.saw(orgID, seenCounter{counter, asked})
		}
		return counter, err
	})
}

// saw remembers a counter. It only grows, so that the greater one is the later one.
func (c *Cache) saw(orgID string, seen seenCounter) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.counters[orgID]; known.counter > seen.counter || known.at.After(seen.at) {
		return
	}
	if len(c.counters) >= statesKept {
		clear(c.counters)
	}
	c.counters[orgID] = seen
}
