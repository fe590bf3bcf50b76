package wal

import (
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
)

// Queue hands the changes of the WAL to whoever writes them. The WAL is read on while a batch is written, as far as
// memory allows.
type Queue struct {
	maxRows int           // a batch is closed when it has this many changes,
	maxTime time.Duration // or its first one has waited this long

	mu     sync.Mutex
	closed []*Changes // closed, in order
	open   *Changes   // what changes go into
	rows   int        // of the closed
	bytes  int
	err    error // why nothing more comes

	Ready chan struct{} // has one element when there may be something to write
	space *sync.Cond
}

// A batch is closed when it was made of this many bytes, too.
const batchBytes = 64 << 20

// NewQueue returns an empty queue.
func NewQueue(maxRows int, maxTime time.Duration) *Queue {
	q := &Queue{maxRows: maxRows, maxTime: maxTime, open: NewChanges(), Ready: make(chan struct{}, 1)}
	q.space = sync.NewCond(&q.mu)
	return q
}

// put changes the open changes, and closes it when it has become large. It waits while too much has not been fetched
// yet.
func (q *Queue) put(change func(*Changes)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.err == nil && (q.rows >= 2*q.maxRows || q.bytes >= 2*batchBytes) {
		q.space.Wait()
	}
	was := q.open.Empty()
	change(q.open)
	if was && !q.open.Empty() {
		q.open.FirstReadAt = time.Now()
		wake(q.Ready)
	}
	if q.open.Rows >= q.maxRows || q.open.Bytes >= batchBytes {
		q.closeOpen()
	}
	if q.open.Urgent {
		wake(q.Ready)
	}
}

// putAlone puts changes of their own, after all that came before it.
func (q *Queue) putAlone(w *Changes) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open.Empty() {
		q.closeOpen()
	}
	q.closed = append(q.closed, w)
	wake(q.Ready)
}

func (q *Queue) closeOpen() {
	q.closed = append(q.closed, q.open)
	q.rows += q.open.Rows
	q.bytes += q.open.Bytes
	q.open = NewChanges()
	wake(q.Ready)
}

// wake makes sure that a channel with room for one element has one.
func wake(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Oldest returns when the oldest change in the queue was committed; zero: there is none.
func (q *Queue) Oldest() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.closed {
		if !w.FirstCommittedAt.IsZero() {
			return w.FirstCommittedAt
		}
	}
	return q.open.FirstCommittedAt
}

// Close says that nothing more comes, and why.
func (q *Queue) Close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.space.Broadcast()
	wake(q.Ready)
}

// Next removes and returns what is due: closed batches, and the open one when it has waited long enough, when something
// before it is returned anyway, or when it only moves the confirmed position, in the interval idle. If nothing is, it
// returns how long to wait. The error comes after the last changes.
func (q *Queue) Next(confirmed pglogrepl.LSN, confirmedAt time.Time, idle time.Duration) (works []*Changes, wait time.Duration, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait = q.due(confirmed, confirmedAt, idle)
	if wait > 0 && q.err == nil {
		return nil, wait, nil
	}
	if !q.open.Empty() || q.open.ConfirmTo > 0 {
		q.closeOpen()
	}
	works, q.closed, q.rows, q.bytes = q.closed, nil, 0, 0
	q.space.Broadcast()
	if len(works) == 0 {
		return nil, q.maxTime, q.err
	}
	return works, 0, nil
}

// due returns how long the open changes may still wait.
func (q *Queue) due(confirmed pglogrepl.LSN, confirmedAt time.Time, idle time.Duration) time.Duration {
	switch {
	case len(q.closed) > 0 || q.open.Urgent && q.open.ConfirmTo > confirmed:
		return 0
	case !q.open.Empty():
		return q.maxTime - time.Since(q.open.FirstReadAt)
	case q.open.ConfirmTo > confirmed:
		return idle - time.Since(confirmedAt)
	}
	return idle
}
