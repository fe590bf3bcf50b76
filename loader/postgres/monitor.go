package postgres

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
)

// Monitor is what a replication tells of itself while it runs. Its zero value is ready. It is safe for concurrent use.
type Monitor struct {
	// Delay, if set, is told how long after its commit a change was written and its cells were right.
	Delay func(time.Duration)

	mu      sync.Mutex
	status  Status
	session *session  // nil while PostgreSQL is not followed
	pending time.Time // commit of the oldest change that is being written; zero: none is
}

// Status is how a replication stands at one moment.
type Status struct {
	Following bool   // PostgreSQL is connected
	Waiting   string // what is waited for: PostgreSQL, ClickHouse, or "" for neither

	Confirmed string        // place in the log up to which everything is written
	LagBytes  uint64        // of the log, that was not confirmed yet
	Lag       time.Duration // since the commit of the oldest change that is known and not written yet
	Retained  int64         // bytes of WAL that PostgreSQL keeps for the slot

	Batches         uint64 // written by this run
	Changes         uint64 // in them
	Rejected        int    // rows whose last version is no record
	WaitingMessages uint64 // messages whose conversation is not known
	Tables          []TableStatus
	Copy            CopyStatus
}

// TableStatus is how a table stands. The counts are of all runs.
type TableStatus struct {
	Name, Record, State                                     string
	Copied, Inserted, Updated, Deleted, Truncated, Rejected uint64
}

// CopyStatus is how far the copies of tables are.
type CopyStatus struct {
	Running     bool
	Rows        uint64        // copied by this session
	Rate        float64       // rows a second
	Chunks, All int           // chunks done, of how many
	Left        time.Duration // estimate; 0 when not known
}

// Status tells how the replication stands.
func (m *Monitor) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.status
	st.Tables = slices.Clone(st.Tables)
	if s := m.session; s != nil {
		confirmed, end := s.stream.confirmed.Load(), s.stream.serverEnd.Load()
		st.Confirmed = pglogrepl.LSN(confirmed).String()
		if end > confirmed {
			st.LagBytes = end - confirmed
		}
		oldest := m.pending
		if oldest.IsZero() {
			oldest = s.queue.oldest()
		}
		if !oldest.IsZero() {
			st.Lag = max(time.Since(oldest), 0)
		}
	}
	return st
}

func (m *Monitor) waitFor(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Waiting = what
}

func (m *Monitor) connected(s *session) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session, m.status.Following, m.status.Waiting = s, true, ""
	m.status.Rejected = s.rejects.count()
	m.status.Tables = tableStatuses(s.state)
}

func (m *Monitor) disconnected() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session, m.status.Following, m.pending, m.status.Copy = nil, false, time.Time{}, CopyStatus{}
}

// taking takes in that a work is about to be written.
func (m *Monitor) taking(w *work) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pending.IsZero() {
		m.pending = w.first
	}
}

func (m *Monitor) wrote(s *session, w *work) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !w.empty() || w.copied != nil {
		m.status.Batches++
		m.status.Changes += uint64(w.rows)
	}
	m.status.Rejected = s.rejects.count()
	if s.copies != nil {
		m.status.Copy = s.copies.status(m.status.Copy, w)
	}
}

// settled takes in that everything that was written counts.
func (m *Monitor) settled(s *session, waitingMessages uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Tables, m.status.WaitingMessages = tableStatuses(s.state), waitingMessages
	if !m.pending.IsZero() && m.Delay != nil {
		m.Delay(max(time.Since(m.pending), 0))
	}
	m.pending = time.Time{}
	if s.copies == nil {
		m.status.Copy = CopyStatus{}
	}
}

func (m *Monitor) retained(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Retained = bytes
}

func tableStatuses(st *state) (all []TableStatus) {
	for _, t := range st.tables {
		c := t.counts
		all = append(all, TableStatus{t.name, t.record.String(), t.state, c.copied, c.inserted, c.updated, c.deleted, c.truncated, c.rejected})
	}
	slices.SortFunc(all, func(a, b TableStatus) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// status takes a work of a copy into how far the copies are.
func (c *copies) status(before CopyStatus, w *work) CopyStatus {
	st := CopyStatus{Running: true, Rows: before.Rows}
	if w.copied != nil {
		st.Rows += uint64(w.rows)
	}
	left := 0
	for _, j := range c.jobs {
		if j.laid {
			st.All += len(j.chunks)
			left += j.left
		}
	}
	st.Chunks = st.All - left
	if elapsed := time.Since(c.began); !c.began.IsZero() && st.Rows > 0 {
		st.Rate = float64(st.Rows) / elapsed.Seconds()
		if done := st.Chunks - c.doneBefore; done > 0 {
			st.Left = time.Duration(float64(elapsed) / float64(done) * float64(left))
		}
	}
	return st
}
