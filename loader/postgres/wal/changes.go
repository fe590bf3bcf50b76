package wal

import (
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// Changes are what is to be written of the WAL or of a snapshot, in order: the changes of rows, or that a table was
// truncated.
type Changes struct {
	Batch     *replica.Batch
	Rows      int      // changes that went into the batch
	Bytes     int      // that they were made of
	Rejects   []Reject // in the order of the WAL
	Truncated []*source.Table
	Deleted   []RowKey                       // rows deleted, for a snapshot that still has them
	Inserted  map[string][]string            // of tables whose rows may share records: the ids of rows that came,
	Uncertain map[string]map[string]struct{} // and of rows that changed or went, or came twice
	Counts    map[string]*Counts

	Position         uint64        // of the last change
	CommittedAt      time.Time     // when it was committed
	ConfirmTo        pglogrepl.LSN // everything up to here is in this batch or in those before; 0: a transaction goes on
	Urgent           bool          // the source waits for the confirmation
	FirstReadAt      time.Time     // when the first change came
	FirstCommittedAt time.Time     // when the first change was committed
}

// RowKey names a row of the source.
type RowKey struct{ Table, Key string }

// Reject is a version of a row that is no record, or one that is right after one that was not.
type Reject struct {
	RowKey
	Record     record.Kind
	Position   uint64
	RejectedAt time.Time
	Cause      *record.Error // nil: it is right, or gone
}

// Counts are changes by kind.
type Counts struct{ Copied, Inserted, Updated, Deleted, Truncated, Rejected uint64 }

// Add adds other counts.
func (c *Counts) Add(other Counts) {
	c.Copied += other.Copied
	c.Inserted += other.Inserted
	c.Updated += other.Updated
	c.Deleted += other.Deleted
	c.Truncated += other.Truncated
	c.Rejected += other.Rejected
}

// NewChanges returns no changes.
func NewChanges() *Changes { return &Changes{Batch: replica.NewBatch(0), Counts: map[string]*Counts{}} }

// Count returns the counts of a table, to add to them.
func (w *Changes) Count(t *source.Table) *Counts {
	name := t.FullName()
	if w.Counts[name] == nil {
		w.Counts[name] = &Counts{}
	}
	return w.Counts[name]
}

// noteSharing notes that a row came, or that one changed or went, which may share its record with others.
func (w *Changes) noteSharing(t *source.Table, key string, came bool) {
	if !t.SharesRecords || !t.Record.HasID() {
		return
	}
	name := t.FullName()
	if w.Uncertain == nil {
		w.Inserted, w.Uncertain = map[string][]string{}, map[string]map[string]struct{}{}
	}
	if w.Uncertain[name] == nil {
		w.Uncertain[name] = map[string]struct{}{}
	}
	if came {
		w.Inserted[name] = append(w.Inserted[name], key)
		if !w.Batch.Has(t.Record, key) {
			return
		}
	}
	w.Uncertain[name][key] = struct{}{}
}

// Empty reports whether nothing would be written.
func (w *Changes) Empty() bool {
	return w.Rows == 0 && len(w.Truncated) == 0 && len(w.Rejects) == 0
}
