package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

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
	open          []string // ids of conversations, a ring
	conversations int

	mu      sync.Mutex
	counts  []sentCount   // messages sent, in order of time
	written chan struct{} // closed when all were sent

	lasted time.Duration // time within which all were sent
	lags   latencies
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

// question returns the question about the trickle's hour.
func (t *trickle) question() stats.Question {
	return window{from: t.hour, until: t.hour.Add(time.Hour)}.question(t.db.org)
}

// streamed is a record of the stream: a conversation or a message.
type streamed struct {
	Type           string `json:"type"`
	ID             string `json:"id"`
	OrganizationID string `json:"organizationId,omitempty"`
	UserID         string `json:"userId,omitempty"`
	AgentID        string `json:"agentId,omitempty"`
	ConversationID string `json:"conversationId,omitempty"`
	Role           string `json:"role,omitempty"`
	CreatedAt      string `json:"createdAt"`
	Usage          *usage `json:"usage,omitempty"`
}

type usage struct {
	InputTokens  int `json:"inputTokens"`
	OutputTokens int `json:"outputTokens"`
}

// lines returns n messages, preceded by the conversations of the first of them. Their time is the given one after the
// hour's start.
func (t *trickle) lines(since time.Duration, n int) []byte {
	at := t.hour.Add(since % time.Hour).Format(rfc3339Millis)
	var text []byte
	add := func(r streamed) {
		r.ID, r.CreatedAt = t.id(), at
		if r.Type == "conversation" {
			t.keep(r.ID)
		}
		line, err := json.Marshal(r)
		if err != nil {
			panic(err) // texts and numbers
		}
		text = append(append(text, line...), '\n')
	}
	for i := range n {
		if (t.total()+i)%messagesAConversation == 0 {
			add(streamed{Type: "conversation", OrganizationID: t.db.org.ID, UserID: t.pick(t.users), AgentID: t.pick(t.agents)})
		}
		add(streamed{Type: "message", ConversationID: t.pick(t.open), Role: "assistant", Usage: &usage{100 + t.random.IntN(4000), 10 + t.random.IntN(900)}})
	}
	return text
}

func (t *trickle) pick(values []string) string { return values[t.random.IntN(len(values))] }

// id returns the next random id. The ids are the same in each run that writes to the same hour.
func (t *trickle) id() string {
	return fmt.Sprintf("trickle-%016x%016x", t.random.Uint64(), t.random.Uint64())
}

// keep replaces the oldest conversation with a new one.
func (t *trickle) keep(id string) {
	if len(t.open) < conversationsOpen {
		t.open = append(t.open, id)
	} else {
		t.open[t.conversations%conversationsOpen] = id
	}
	t.conversations++
}

// sent records that more messages were sent.
func (t *trickle) sent(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	count := n
	if len(t.counts) > 0 {
		count += t.counts[len(t.counts)-1].count
	}
	t.counts = append(t.counts, sentCount{time.Now(), count})
}

// total returns the number of messages sent.
func (t *trickle) total() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.counts) == 0 {
		return 0
	}
	return t.counts[len(t.counts)-1].count
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
