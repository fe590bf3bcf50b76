package replica_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/schema"
)

// history makes batches about few records, which change and move all the time, and knows what is there in the end.
type history struct {
	*rand.Rand
	conversations map[string]*record.Conversation
	messages      map[string]*record.Message
}

const historyBegin = 1_700_000_000_000

func (h *history) batch(n int) *replica.Batch {
	b := replica.NewBatch(0)
	for range h.IntN(4) {
		c := &record.Conversation{
			ID: fmt.Sprintf("c%d", h.IntN(12)), OrgID: fmt.Sprintf("org%d", h.IntN(2)), UserID: fmt.Sprintf("user%d", h.IntN(6)),
			CreatedAt: historyBegin, UpdatedAt: historyBegin + int64(n), Deleted: h.IntN(8) == 0,
		}
		if h.IntN(3) > 0 {
			c.AgentID = fmt.Sprintf("agent%d", h.IntN(3))
		}
		b.Add(c)
		h.conversations[c.ID] = c
	}
	for range h.IntN(20) {
		m := &record.Message{
			ID: fmt.Sprintf("m%d", h.IntN(60)), ConversationID: fmt.Sprintf("c%d", h.IntN(12)), Role: "user",
			CreatedAt: historyBegin + h.Int64N(4)*3_600_000, UpdatedAt: historyBegin + int64(n), Deleted: h.IntN(8) == 0,
		}
		b.Add(m)
		h.messages[m.ID] = m
	}
	return b
}

// row is what tells where a message counts.
type row struct {
	orgID, userID, agentID string
	createdAt              int64
}

func (h *history) rows() map[string]row {
	rows := map[string]row{}
	for _, m := range h.messages {
		if c := h.conversations[m.ConversationID]; c != nil && !m.Deleted && !c.Deleted {
			rows[m.ID] = row{c.OrgID, c.UserID, c.AgentID, m.CreatedAt}
		}
	}
	return rows
}

// Batches are begun one after the other while the ones before are being written, each about what those before are about. What is there in
// the end, is what the records say.
func TestBatchesFollowEachOtherClosely(t *testing.T) {
	url := enginetest.Start(t).URL()
	if _, err := schema.Up(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := &history{rand.New(rand.NewPCG(seed, 0)), map[string]*record.Conversation{}, map[string]*record.Message{}}
	w, err := replica.Open(t.Context(), replica.Options{URL: url, Written: func(string) { time.Sleep(3 * time.Millisecond) }})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const batches = 80
	for n := range batches {
		if _, err := w.Begin(t.Context(), h.batch(n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Wait(); err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(t.Context(), url, clickhouse.Pool{MaxOpen: 4, MaxIdle: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if got, want := storedRows(t, conn), h.rows(); !maps.Equal(got, want) {
		t.Errorf("stored:\n%v\nwant:\n%v", got, want)
	}
	if err := w.Compute(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := verified(t, conn); !r.OK() || r.Rows == 0 {
		t.Errorf("after computing: %+v", r)
	}
}

func storedRows(t *testing.T, conn clickhouse.Conn) map[string]row {
	t.Helper()
	stored, err := conn.Query(t.Context(), `
SELECT id, toString(org_id), user_id, toString(agent_id), toUnixTimestamp64Milli(created_at)
FROM messages FINAL`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stored.Close() }()
	rows := map[string]row{}
	for stored.Next() {
		var id string
		var r row
		if err := stored.Scan(&id, &r.orgID, &r.userID, &r.agentID, &r.createdAt); err != nil {
			t.Fatal(err)
		}
		if other, twice := rows[id]; twice {
			t.Errorf("message %s counts twice: %+v and %+v", id, other, r)
		}
		rows[id] = r
	}
	if err := stored.Err(); err != nil {
		t.Fatal(err)
	}
	return rows
}
