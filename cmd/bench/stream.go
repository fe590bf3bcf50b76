package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	messagesAConversation = 10
	conversationsOpen     = 2000 // that a message may belong to
)

// trickle is a stream of messages into one hour of the largest organization, by its users and agents.
type trickle struct {
	db   *database
	hour time.Time
	rate int // messages a second

	users, agents []string
	random        *rand.Rand
	open          []string // ids of conversations, the oldest first

	mu      sync.Mutex
	count   int           // messages sent
	counts  []sentCount   // the same over time
	written chan struct{} // closed when all were sent

	lasted time.Duration // time within which all were sent
	lags   loadtest.Latencies
}

// sentCount is the number of messages that had been sent at a time.
type sentCount struct {
	at    time.Time
	count int
}

func newTrickle(ctx context.Context, db *database, hour time.Time, rate int) (*trickle, error) {
	t := &trickle{
		db: db, hour: hour, rate: rate, written: make(chan struct{}),
		random: rand.New(rand.NewPCG(4, uint64(hour.Unix()))),
	}
	for statement, ids := range map[string]*[]string{
		"SELECT groupArray(user_id) FROM (SELECT DISTINCT user_id FROM users WHERE org_id = ? ORDER BY user_id)":     &t.users,
		"SELECT groupArray(agent_id) FROM (SELECT DISTINCT agent_id FROM agents WHERE org_id = ? ORDER BY agent_id)": &t.agents,
	} {
		if err := db.conn.QueryRow(ctx, statement, db.org.ID).Scan(ids); err != nil {
			return nil, err
		}
		if len(*ids) == 0 {
			return nil, fmt.Errorf("organization %s has no users or no agents", db.org.ID)
		}
	}
	return t, nil
}

func (t *trickle) question() stats.Question {
	return window{from: t.hour, until: t.hour.Add(time.Hour)}.question(t.db.org)
}

// lines returns n messages, preceded by the conversations of the first of them. Their time is the given one after the
// hour's start.
func (t *trickle) lines(since time.Duration, n int) []byte {
	at := t.hour.Add(since % time.Hour).Format(rfc3339Millis)
	var text []byte
	for i := range n {
		if (t.total()+i)%messagesAConversation == 0 {
			id := t.id()
			t.open = append(t.open[max(0, len(t.open)+1-conversationsOpen):], id)
			text = fmt.Appendf(text, `{"type":"conversation","id":%q,"organizationId":%q,"userId":%q,"agentId":%q,"createdAt":%q}`+"\n",
				id, t.db.org.ID, t.pick(t.users), t.pick(t.agents), at)
		}
		text = fmt.Appendf(text, `{"type":"message","id":%q,"conversationId":%q,"role":"assistant","createdAt":%q,"usage":{"inputTokens":%d,"outputTokens":%d}}`+"\n",
			t.id(), t.pick(t.open), at, 100+t.random.IntN(4000), 10+t.random.IntN(900))
	}
	return text
}

func (t *trickle) pick(values []string) string { return values[t.random.IntN(len(values))] }

// id returns the next random id. The ids are the same in each run that writes to the same hour.
func (t *trickle) id() string {
	return fmt.Sprintf("trickle-%016x%016x", t.random.Uint64(), t.random.Uint64())
}

func (t *trickle) sent(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.count += n
	t.counts = append(t.counts, sentCount{time.Now(), t.count})
}

func (t *trickle) total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

// lag returns the time since the oldest message that is not yet visible was sent, 0 if all are visible.
func (t *trickle) lag(seen uint64) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, c := range t.counts {
		if uint64(c.count) > seen {
			return time.Since(c.at)
		}
	}
	return 0
}
