package postgres

import (
	"sync"
	"time"

	"github.com/jackc/pglogrepl"
)

// queue hands what the log brings to whoever writes it. The log is read on while a batch is written, as far as memory
// allows.
type queue struct {
	limits
	mu    sync.Mutex
	full  []*work // closed, in order
	open  *work   // what changes go into
	rows  int     // of the closed
	bytes int
	err   error // why nothing more comes

	ready chan struct{} // has one element when there may be something to take
	space *sync.Cond
}

// limits say when a batch is closed.
type limits struct {
	rows int
	time time.Duration
}

// A batch is closed when it was made of this many bytes, too.
const batchBytes = 64 << 20

func newQueue(l limits) *queue {
	q := &queue{limits: l, open: newWork(), ready: make(chan struct{}, 1)}
	q.space = sync.NewCond(&q.mu)
	return q
}

// put changes the open work, and closes it when it has become large. It waits while too much has not been taken yet.
func (q *queue) put(change func(*work)) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.err == nil && (q.rows >= 2*q.limits.rows || q.bytes >= 2*batchBytes) {
		q.space.Wait()
	}
	was := q.open.empty()
	change(q.open)
	if was && !q.open.empty() {
		q.open.since = time.Now()
		q.wake()
	}
	if q.open.rows >= q.limits.rows || q.open.bytes >= batchBytes {
		q.closeOpen()
	}
	if q.open.urgent {
		q.wake()
	}
}

// putAlone puts a work of its own, after all that came before it.
func (q *queue) putAlone(w *work) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.open.empty() {
		q.closeOpen()
	}
	q.full = append(q.full, w)
	q.wake()
}

func (q *queue) closeOpen() {
	q.full = append(q.full, q.open)
	q.rows += q.open.rows
	q.bytes += q.open.bytes
	q.open = newWork()
	q.wake()
}

func (q *queue) wake() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// oldest is when the oldest change that was not taken was committed; zero: there is none.
func (q *queue) oldest() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.full {
		if !w.first.IsZero() {
			return w.first
		}
	}
	return q.open.first
}

// end says that nothing more comes, and why.
func (q *queue) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.space.Broadcast()
	q.wake()
}

// take takes what is due: closed batches, and the open one when it has waited long enough, when something before it is
// taken anyway, or when it only moves the confirmed position, in the interval idle. If nothing is, it tells how long to
// wait. The error comes after the last work.
func (q *queue) take(confirmed pglogrepl.LSN, confirmedAt time.Time, idle time.Duration) (works []*work, wait time.Duration, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait = q.due(confirmed, confirmedAt, idle)
	if wait > 0 && q.err == nil {
		return nil, wait, nil
	}
	if !q.open.empty() || q.open.confirm > 0 {
		q.closeOpen()
	}
	works, q.full, q.rows, q.bytes = q.full, nil, 0, 0
	q.space.Broadcast()
	if len(works) == 0 {
		return nil, q.limits.time, q.err
	}
	return works, 0, nil
}

// due is how long the open work may still wait.
func (q *queue) due(confirmed pglogrepl.LSN, confirmedAt time.Time, idle time.Duration) time.Duration {
	switch {
	case len(q.full) > 0 || q.open.urgent && q.open.confirm > confirmed:
		return 0
	case !q.open.empty():
		return q.limits.time - time.Since(q.open.since)
	case q.open.confirm > confirmed:
		return idle - time.Since(confirmedAt)
	}
	return idle
}
