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
	// MaxAge is how long after a change of an organization an answer from before may still be returned: the change
	// counter is asked for when it was last seen longer ago than this.
	MaxAge time.Duration
}

// maxCachedText is how many bytes of text a question's filters may have to be kept; a caller chooses them freely.
const maxCachedText = 1024

// Cache answers questions from memory for as long as nothing of their organization has changed. Equal questions that
// arrive together are asked once. It keeps no errors. A question names its organization and everything that limits what
// is seen of it, so that no answer is returned for another question.
type Cache struct {
	store   *Store
	maxAge  time.Duration
	answers *lru.Cache[Question, keptAnswer]
	asking  sharedCalls[Question, keptAnswer]

	mu       sync.Mutex
	counters map[string]seenCounter
	checking sharedCalls[string, uint64]
}

// keptAnswer is an answer that callers share: nobody changes its rows.
type keptAnswer struct {
	answer  Answer
	counter uint64
}

// seenCounter is an organization's change counter, and when it was asked for.
type seenCounter struct {
	counter uint64
	at      time.Time
}

// NewCache returns a cache before a store.
func NewCache(store *Store, o CacheOptions) *Cache {
	c := &Cache{store: store, maxAge: o.MaxAge, counters: map[string]seenCounter{}}
	c.asking.joinable, c.checking.joinable = o.MaxAge, o.MaxAge
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
func (c *Cache) Answer(ctx context.Context, r Request) (Answer, error) {
	if c.answers == nil || r.Filter.textSize() > maxCachedText {
		r.Cost.setCache(CacheOff)
		return c.store.Answer(ctx, r)
	}
	if kept, ok := c.answers.Get(r.Question); ok {
		counter, err := c.counter(ctx, r)
		if err != nil {
			return Answer{}, err
		}
		if counter == kept.counter {
			r.Cost.setCache(CacheHit)
			return kept.answer, nil
		}
	}
	r.Cost.setCache(CacheShared) // unless it is this request's own call
	kept, err := c.asking.do(ctx, r.Question, func(ctx context.Context) (keptAnswer, error) {
		r.Cost.setCache(CacheMiss)
		return c.ask(ctx, r)
	})
	return kept.answer, err
}

// Len returns how many answers are kept.
func (c *Cache) Len() int {
	if c.answers == nil {
		return 0
	}
	return c.answers.Len()
}

// ask asks the store, and keeps the answer if it belongs to a state that lasts.
func (c *Cache) ask(ctx context.Context, r Request) (keptAnswer, error) {
	asked := time.Now()
	answer, counter, err := c.store.answerCounted(ctx, r)
	kept := keptAnswer{answer, counter}
	if err == nil && counter != 0 {
		c.answers.Add(r.Question, kept)
		c.saw(r.OrgID, seenCounter{counter, asked})
	}
	return kept, err
}

// counter returns the organization's change counter as it was at most maxAge ago.
func (c *Cache) counter(ctx context.Context, r Request) (uint64, error) {
	c.mu.Lock()
	seen, ok := c.counters[r.OrgID]
	c.mu.Unlock()
	if ok && time.Since(seen.at) < c.maxAge {
		return seen.counter, nil
	}
	return c.checking.do(ctx, r.OrgID, func(ctx context.Context) (uint64, error) {
		asked := time.Now()
		counter, err := c.store.counter(ctx, r)
		if err == nil {
			c.saw(r.OrgID, seenCounter{counter, asked})
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
