package replica_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/schema/schematest"
)

// every makes an organization with a message every so many hours of 60 days, in conversations of two days.
func every(orgID string, begin int64, hours, version int) []record.Record {
	var records []record.Record
	for h := 0; h < 60*24; h += hours {
		c := &record.Conversation{
			Version: record.Version{UpdatedAt: begin},
			ID:      fmt.Sprintf("%s.%d", orgID, h/48), OrgID: orgID, UserID: fmt.Sprintf("user%d", h/48%7), AgentID: fmt.Sprintf("agent%d", h/48%3),
			CreatedAt: begin,
		}
		if h/48%3 == 0 {
			c.AgentID = ""
		}
		records = append(records, c, &record.Message{
			Version: record.Version{UpdatedAt: begin + int64(version)},
			ID:      fmt.Sprintf("%s.%d", c.ID, h), ConversationID: c.ID, Role: "user", CreatedAt: begin + int64(h)*3_600_000, InputTokens: uint32(version), TotalTokens: uint32(h),
		})
	}
	return records
}

func apply(t *testing.T, w *replica.Writer, records ...[]record.Record) {
	t.Helper()
	b := replica.NewBatch(0)
	for _, some := range records {
		for _, r := range some {
			b.Add(r)
		}
	}
	if _, err := w.Apply(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if err := w.Compute(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// The months of which much is stale are computed as a whole, the hours of others by themselves, before 1970 as after
// it; and as exactly when messages were replaced as when none was.
func TestMonthsAreComputedAsAWholeOrByTheirHours(t *testing.T) {
	url, conn := schematest.Database(t)
	var lock sync.Mutex
	var statements []string
	w, err := replica.Open(t.Context(), replica.Options{URL: url, OnStatement: func(statement string) {
		lock.Lock()
		defer lock.Unlock()
		statements = append(statements, statement)
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	const old = -30 * 24 * 3_600_000 // the days around 1970-01-01
	for _, step := range []struct {
		name         string
		records      [][]record.Record
		whole, hours bool // what is computed
	}{
		{"all is new", [][]record.Record{every("a", historyBegin, 3, 1), every("b", old, 5, 1)}, true, false},
		{"few hours of many days change", [][]record.Record{every("a", historyBegin, 24, 2)}, false, true},
		{"and all hours of another organization", [][]record.Record{every("a", historyBegin, 24, 3), every("b", old, 5, 3)}, true, true},
	} {
		statements = nil
		apply(t, w, step.records...)
		ran := func(part string) bool {
			for _, s := range statements {
				if strings.Contains(s, "INTO stats_cells") && strings.Contains(s, part) {
					return true
				}
			}
			return false
		}
		if ran("WITH ROLLUP") != step.whole || ran("cell_agent_id, 'hour'") != step.hours {
			t.Errorf("%s: as a whole %v, by hours %v", step.name, ran("WITH ROLLUP"), ran("cell_agent_id, 'hour'"))
		}
		if r := verified(t, conn); !r.OK() || r.Rows < 700 {
			t.Errorf("%s: %+v", step.name, r)
		}
	}
}

// Merges wait while a large batch is written, and go on when the writer is closed or, if it was killed, when the next
// one opens.
func TestMergesWaitAndGoOn(t *testing.T) {
	url, conn := schematest.Database(t)
	mayMerge := func() bool { return conn.Exec(t.Context(), "OPTIMIZE TABLE messages FINAL") == nil }
	var large []record.Record
	for i := range 60_000 {
		large = append(large, &record.Message{
			Version: record.Version{UpdatedAt: historyBegin},
			ID:      fmt.Sprint(i), ConversationID: "c", Role: "user", CreatedAt: historyBegin + int64(i),
		})
	}
	w, err := replica.Open(t.Context(), replica.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	apply(t, w, large)
	if mayMerge() {
		t.Error("merges did not wait for a large batch")
	}
	apply(t, w, every("a", historyBegin, 24, 1))
	if !mayMerge() {
		t.Error("merges wait though the batches are small again")
	}
	for i := range large {
		m := *large[i].(*record.Message)
		m.UpdatedAt++
		large[i] = &m
	}
	apply(t, w, large)
	if mayMerge() {
		t.Error("merges did not wait for another large batch")
	}
	w.Close()
	if !mayMerge() {
		t.Error("merges wait though the writer is closed")
	}
	if err := conn.Exec(t.Context(), "SYSTEM STOP MERGES messages"); err != nil { // as a writer that is killed leaves it
		t.Fatal(err)
	}
	write(t, url, func(*replica.Writer) error { return nil })
	if !mayMerge() {
		t.Error("merges wait for a writer that is no more")
	}
}
