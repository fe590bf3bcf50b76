package stats

import (
	"sync"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// Request is a question with what belongs to asking it. Two requests for the same question have the same answer.
type Request struct {
	Question
	ID       string // of the HTTP request; ClickHouse's query log shows it
	Priority Priority
	Cost     *CostMeter // measures what the answer takes; nil: nobody wants to know
}

// Priority is how ClickHouse treats a question while it works on others.
type Priority int

// The priorities.
const (
	NormalPriority Priority = iota
	// LowPriority questions wait, once they are being worked on, while others are: for organizations that use their
	// rate up, so that others don't notice.
	LowPriority
)

// lowPriorityWait is how long, in milliseconds, a statement of low priority waits at a time.
const lowPriorityWait = 100

// settings returns the settings of the statements of a question. ClickHouse (since 25.4) stops a statement, wherever it
// next reads a block, while another with a smaller number runs, but not for longer than the wait each time.
func (p Priority) settings() map[string]any {
	if p == LowPriority {
		return map[string]any{"priority": 2, "low_priority_query_wait_time_ms": lowPriorityWait, "max_threads": 1}
	}
	return map[string]any{"priority": 1}
}

// What memory did for a question.
const (
	CacheHit    = "hit"    // it was answered from memory
	CacheShared = "shared" // it got the answer that an equal question was waiting for
	CacheMiss   = "miss"   // something was fetched from ClickHouse
)

// CacheResults are all of these.
var CacheResults = []string{CacheHit, CacheShared, CacheMiss}

// Costs are what it took to answer a question.
type Costs struct {
	Cache      string        // one of the above; "" when it did not come to that
	Filter     string        // one of the kinds of filters; "" when it did not come to that
	Statements int           // on ClickHouse
	Rows       uint64        // that ClickHouse read for them
	Waited     time.Duration // for a turn among the questions that are under way
}

// CostMeter measures the costs of a question while it is worked on, which may go on after its caller has left. The zero
// value is ready; a nil meter measures nothing.
type CostMeter struct {
	mu    sync.Mutex
	costs Costs
}

// Costs returns the costs so far.
func (m *CostMeter) Costs() (costs Costs) {
	m.add(func(c *Costs) { costs = *c })
	return costs
}

func (m *CostMeter) add(change func(*Costs)) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	change(&m.costs)
}

func (m *CostMeter) setCache(what string)  { m.add(func(c *Costs) { c.Cache = what }) }
func (m *CostMeter) setFilter(kind string) { m.add(func(c *Costs) { c.Filter = kind }) }

// addStatement counts a statement that has run.
func (m *CostMeter) addStatement(o clickhouse.Observation) {
	m.add(func(c *Costs) { c.Statements++; c.Rows += o.Rows })
}
