package replica_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/schema/schematest"
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
			Version: record.Version{UpdatedAt: historyBegin + int64(n), Deleted: h.IntN(8) == 0},
			ID:      fmt.Sprintf("c%d", h.IntN(12)), OrgID: fmt.Sprintf("org%d", h.IntN(2)), UserID: fmt.Sprintf("user%d", h.IntN(6)),
			CreatedAt: historyBegin,
		}
		if h.IntN(3) > 0 {
			c.AgentID = fmt.Sprintf("agent%d", h.IntN(3))
		}
		b.Add(c)
		h.conversations[c.ID] = c
	}
	for range h.IntN(20) {
		m := &record.Message{
			Version: record.Version{UpdatedAt: historyBegin + int64(n), Deleted: h.IntN(8) == 0},
			ID:      fmt.Sprintf("m%d", h.IntN(60)), ConversationID: fmt.Sprintf("c%d", h.IntN(12)), Role: "user",
			CreatedAt: historyBegin + h.Int64N(4)*3_600_000,
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

// Batches are begun one after the other while the ones before are being written, each about what those before are
// about. What is there in the end, is what the records say.
func TestBatchesFollowEachOtherClosely(t *testing.T) {
	url, conn := schematest.Database(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := &history{rand.New(rand.NewPCG(seed, 0)), map[string]*record.Conversation{}, map[string]*record.Message{}}
	w, err := replica.Open(t.Context(), replica.Options{URL: url, OnStatement: func(string) { time.Sleep(3 * time.Millisecond) }})
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

// Batches that follow each other closely are cut off after any statement, of the batch that is written or of the one
// that is made ready, and come again: what is there then is what the records say, nothing twice and nothing forgotten.
func TestBatchesThatFollowCloselyAreCutOff(t *testing.T) {
	url, conn := schematest.Database(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	h := &history{rand.New(rand.NewPCG(seed, 0)), map[string]*record.Conversation{}, map[string]*record.Message{}}
	cut := 0
	for round := range 6 {
		var batches []func() *replica.Batch
		for n := range 5 {
			batches = append(batches, h.newcomers(round*5+n))
		}
		if cutOff(t, url, batches, 1+h.IntN(45)) {
			cut++
		}
		write(t, url, func(w *replica.Writer) error {
			for _, batch := range batches {
				if _, err := w.Apply(t.Context(), batch()); err != nil {
					return err
				}
			}
			return w.Compute(t.Context())
		})
		if got, want := storedRows(t, conn), h.rows(); !maps.Equal(got, want) {
			for id, row := range want {
				if got[id] != row {
					t.Errorf("round %d: %s: stored %+v, want %+v; %+v", round, id, got[id], row, h.messages[id])
				}
			}
			t.FailNow()
		}
		if r := verified(t, conn); !r.OK() || r.Rows == 0 {
			t.Fatalf("after computing: %+v", r)
		}
	}
	if cut < 2 {
		t.Errorf("only %d of 6 writers were cut off", cut)
	}
}

// newcomers makes a batch, as often as it is asked for, of records that are new and, in some, of a few that others
// know.
func (h *history) newcomers(n int) func() *replica.Batch {
	var records []record.Record
	for i := range 1 + h.IntN(3) {
		c := &record.Conversation{
			Version: record.Version{UpdatedAt: historyBegin + int64(n)},
			ID:      fmt.Sprintf("new%d.%d", n, i), OrgID: fmt.Sprintf("org%d", h.IntN(2)), UserID: fmt.Sprintf("user%d", h.IntN(40)),
			AgentID: fmt.Sprintf("agent%d", h.IntN(9)), CreatedAt: historyBegin,
		}
		if h.IntN(6) == 0 {
			c.ID = fmt.Sprintf("c%d", h.IntN(12))
		}
		records, h.conversations[c.ID] = append(records, c), c
		for j := range 1 + h.IntN(5) {
			m := &record.Message{
				Version: record.Version{UpdatedAt: historyBegin + int64(n)},
				ID:      fmt.Sprintf("new%d.%d.%d", n, i, j), ConversationID: c.ID, Role: "user",
				CreatedAt: historyBegin + h.Int64N(40)*3_600_000,
			}
			if h.IntN(6) == 0 {
				m.ID, m.ConversationID = fmt.Sprintf("m%d", h.IntN(30)), fmt.Sprintf("c%d", h.IntN(12))
			}
			records, h.messages[m.ID] = append(records, m), m
		}
	}
	return func() *replica.Batch {
		b := replica.NewBatch(0)
		for _, r := range records {
			b.Add(r)
		}
		return b
	}
}

// cutOff begins batches with a writer that can write no more after so many statements, and reports whether that came
// before their end.
func cutOff(t *testing.T, url string, batches []func() *replica.Batch, statements int) bool {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var written atomic.Int64
	w, err := replica.Open(t.Context(), replica.Options{URL: url, OnStatement: func(string) {
		if time.Sleep(2 * time.Millisecond); written.Add(1) == int64(statements) {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, batch := range batches {
		if _, err := w.Begin(ctx, batch()); err != nil {
			return true
		}
	}
	_, err = w.Wait()
	return err != nil
}

func storedRows(t *testing.T, conn clickhouse.Conn) map[string]row {
	t.Helper()
	rows := map[string]row{}
	err := clickhouse.ForEach(t.Context(), conn, `
SELECT id, toString(org_id), user_id, toString(agent_id), toUnixTimestamp64Milli(created_at)
FROM messages FINAL`, func(scan clickhouse.Scan) error {
		var id string
		var r row
		err := scan(&id, &r.orgID, &r.userID, &r.agentID, &r.createdAt)
		if other, twice := rows[id]; twice {
			t.Errorf("message %s counts twice: %+v and %+v", id, other, r)
		}
		rows[id] = r
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
