package wal

import (
	"errors"
	"slices"
	"sync"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/record"
)

// OpenRejects are the rows whose last version was no record. It is safe for concurrent use.
type OpenRejects struct {
	mu   sync.Mutex
	Rows map[RowKey]struct{}
}

func (o *OpenRejects) has(row RowKey) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, open := o.Rows[row]
	return open
}

// Reject notes in the changes that a row is not a valid record.
func (o *OpenRejects) Reject(w *Changes, t *source.Table, key string, cause *record.Error) {
	row := RowKey{t.FullName(), key}
	w.Count(t).Rejected++
	w.Rejects = append(w.Rejects, Reject{row, t.Record, w.Position, w.CommittedAt, cause})
	o.mu.Lock()
	defer o.mu.Unlock()
	o.Rows[row] = struct{}{}
}

// Resolve notes in changes that a row is right now, or gone, if it was wrong before.
func (o *OpenRejects) Resolve(w *Changes, row RowKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.resolve(w, row)
}

func (o *OpenRejects) resolve(w *Changes, row RowKey) {
	if _, open := o.Rows[row]; open {
		delete(o.Rows, row)
		w.Rejects = append(w.Rejects, Reject{RowKey: row, Position: w.Position, RejectedAt: w.CommittedAt})
	}
}

// resolveTables notes that no row of the tables that changes truncate is wrong any more.
func (o *OpenRejects) resolveTables(w *Changes) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for row := range o.Rows {
		if slices.ContainsFunc(w.Truncated, func(t *source.Table) bool { return t.FullName() == row.Table }) {
			o.resolve(w, row)
		}
	}
}

// Count returns how many rows are wrong.
func (o *OpenRejects) Count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.Rows)
}

// upsert adds the record of a row, or that the row is no record.
func (o *OpenRejects) upsert(w *Changes, t *source.Table, row *record.Row, key string) {
	if o.has(RowKey{t.FullName(), key}) {
		row.Moved() // the version before is not known
	}
	if rec := o.ReadRecord(w, t, row, key); rec != nil {
		w.Batch.Add(rec)
	}
}

// ReadRecord returns the record of a row, or nil where it is none, which it notes in the changes.
func (o *OpenRejects) ReadRecord(w *Changes, t *source.Table, row *record.Row, key string) record.Record {
	rec, err := row.Record()
	if wrong, ok := errors.AsType[*record.Error](err); ok {
		o.Reject(w, t, key, wrong)
		return nil
	}
	if record.VersionOf(rec).Unsent&record.FieldOther == 0 {
		o.Resolve(w, RowKey{t.FullName(), key})
	}
	return rec
}
