package postgres

import "sync"

// openRejects are the rows whose last version was no record. It is safe for concurrent use.
type openRejects struct {
	mu   sync.Mutex
	rows map[rowKey]struct{}
}

func (o *openRejects) has(row rowKey) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, open := o.rows[row]
	return open
}

func (o *openRejects) add(row rowKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rows[row] = struct{}{}
}

// resolve notes in a work that a row is right now, or gone, if it was wrong before.
func (o *openRejects) resolve(w *work, row rowKey) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, open := o.rows[row]; open {
		delete(o.rows, row)
		w.rejects = append(w.rejects, reject{rowKey: row, position: w.position, at: w.at})
	}
}

// forgetTables notes that no row of the tables that a work empties is wrong any more.
func (o *openRejects) forgetTables(w *work) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for row := range o.rows {
		for _, t := range w.truncated {
			if row.table == t.FullName() {
				delete(o.rows, row)
				w.rejects = append(w.rejects, reject{rowKey: row, position: w.position, at: w.at})
			}
		}
	}
}

// count is how many rows are wrong.
func (o *openRejects) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.rows)
}
