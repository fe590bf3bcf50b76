package postgres

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/postgres/snapshot"
	"github.com/orgstats/orgstats/loader/postgres/wal"
)

// Monitor is where a running replication reports its status. Its zero value is ready. It is safe for concurrent use.
type Monitor struct {
	// Delay, if set, is called with how long after its commit a change was written and its cells were right.
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

	Confirmed string        // LSN up to which everything is written
	LagBytes  uint64        // of the WAL, that was not confirmed yet
	Lag       time.Duration // since the commit of the oldest change that is known and not written yet
	Retained  int64         // bytes of WAL that PostgreSQL keeps for the slot

	Batches         uint64 // written by this run
	Changes         uint64 // in them
	Rejected        int    // rows whose last version is no record
	WaitingMessages uint64 // messages whose conversation is not known
	Tables          []TableStatus
	Copy            snapshot.Progress
}

// TableStatus is how a table stands. The counts are of all runs.
type TableStatus struct {
	Name, Record, State string
	wal.Counts
}

// Status returns how the replication stands.
func (m *Monitor) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.status
	st.Tables = slices.Clone(st.Tables)
	if s := m.session; s != nil {
		confirmed, end := s.stream.Confirmed.Load(), s.stream.ServerEnd.Load()
		st.Confirmed = pglogrepl.LSN(confirmed).String()
		if end > confirmed {
			st.LagBytes = end - confirmed
		}
		oldest := m.pending
		if oldest.IsZero() {
			oldest = s.queue.Oldest()
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
	m.status.Rejected = s.rejects.Count()
	m.status.Tables = tableStatuses(s.state)
}

func (m *Monitor) disconnected() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.session, m.status.Following, m.pending, m.status.Copy = nil, false, time.Time{}, snapshot.Progress{}
}

// writing notes that changes are about to be written.
func (m *Monitor) writing(w *wal.Changes) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.pending.IsZero() {
		m.pending = w.FirstCommittedAt
	}
}

// wrote notes that changes are written, of the WAL or of a copy.
func (m *Monitor) wrote(s *session, w *wal.Changes, copied bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if copied || !w.Empty() {
		m.status.Batches++
		m.status.Changes += uint64(w.Rows)
	}
	m.status.Rejected = s.rejects.Count()
	if s.copies != nil {
		rows := m.status.Copy.Rows
		if copied {
			rows += uint64(w.Rows)
		}
		m.status.Copy = s.copies.Progress(rows)
	}
}

// checkpointed notes that everything that was written counts.
func (m *Monitor) checkpointed(s *session, waitingMessages uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Tables, m.status.WaitingMessages = tableStatuses(s.state), waitingMessages
	if !m.pending.IsZero() && m.Delay != nil {
		m.Delay(max(time.Since(m.pending), 0))
	}
	m.pending = time.Time{}
	if s.copies == nil {
		m.status.Copy = snapshot.Progress{}
	}
}

func (m *Monitor) retained(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Retained = bytes
}

func tableStatuses(st *state) (all []TableStatus) {
	for _, t := range st.tables {
		all = append(all, TableStatus{t.name, t.record.String(), t.state, t.counts})
	}
	slices.SortFunc(all, func(a, b TableStatus) int { return strings.Compare(a.Name, b.Name) })
	return all
}
