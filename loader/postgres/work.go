package postgres

import (
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// work is what the log or a snapshot gives to be written, in order: the changes of rows, or that a table was emptied.
type work struct {
	batch     *replica.Batch
	rows      int      // changes that went into the batch
	bytes     int      // that they were made of
	rejects   []reject // in the order of the log
	truncated []*table
	deleted   []rowKey                       // rows deleted, for a snapshot that still has them
	inserted  map[string][]string            // of tables whose rows may share records: the ids of rows that came,
	uncertain map[string]map[string]struct{} // and of rows that changed or went, or came twice
	counts    map[string]*counts

	position uint64        // of the last change
	at       time.Time     // when it was committed
	confirm  pglogrepl.LSN // everything up to here is in this work or in those before; 0: a transaction goes on
	urgent   bool          // the source waits for the confirmation
	since    time.Time     // when the first change came
	first    time.Time     // when the first change was committed

	copied *table            // the rows are a copy of this table's
	done   []*chunk          // of that, with this work
	shared bool              // instead of rows, it is which records several rows of the copy give:
	asked  []record.Identity // these
	layout *copyLayout       // how a copy is to be made: there is nothing else
}

// rowKey names a row of the source.
type rowKey struct{ table, key string }

// reject is a version of a row that is no record, or one that is right after one that was not.
type reject struct {
	rowKey
	record   record.Kind
	position uint64
	at       time.Time
	cause    *record.Error // nil: it is right, or gone
}

// counts are changes by kind.
type counts struct{ copied, inserted, updated, deleted, truncated, rejected uint64 }

func (c *counts) add(other counts) {
	c.copied += other.copied
	c.inserted += other.inserted
	c.updated += other.updated
	c.deleted += other.deleted
	c.truncated += other.truncated
	c.rejected += other.rejected
}

func newWork() *work { return &work{batch: replica.NewBatch(0), counts: map[string]*counts{}} }

func (w *work) count(t *table) *counts {
	name := t.FullName()
	if w.counts[name] == nil {
		w.counts[name] = &counts{}
	}
	return w.counts[name]
}

// touch notes that a row came, or that one changed or went, which may share its record with others.
func (w *work) touch(t *table, key string, came bool) {
	if !t.shared || !t.Record.HasID() {
		return
	}
	name := t.FullName()
	if w.uncertain == nil {
		w.inserted, w.uncertain = map[string][]string{}, map[string]map[string]struct{}{}
	}
	if w.uncertain[name] == nil {
		w.uncertain[name] = map[string]struct{}{}
	}
	if came {
		w.inserted[name] = append(w.inserted[name], key)
		if !w.batch.Has(t.Record, key) {
			return
		}
	}
	w.uncertain[name][key] = struct{}{}
}

// empty tells whether nothing would be written.
func (w *work) empty() bool {
	return w.rows == 0 && len(w.truncated) == 0 && len(w.rejects) == 0
}
