package transport

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrHungUp is the cause that a request's context ends with when its caller closed the connection.
var ErrHungUp = errors.New("the caller closed the connection")

// watchAfter is how long a request runs before its connection is watched: most are answered by then, and cost a timer
// only.
const watchAfter = 50 * time.Millisecond

// watcher waits for the caller of a long request to hang up.
type watcher struct {
	conn    *Conn
	cancel  context.CancelCauseFunc
	timer   *time.Timer
	done    chan struct{}
	mu      sync.Mutex
	stopped bool
}

// CancelOnHangUp cancels with ErrHungUp when the peer closes the connection, until stop is called. A peer that closes
// only its sending side counts as one that hung up, as in net/http: TCP distinguishes the two by nothing but
// sending.
func (c *Conn) CancelOnHangUp(cancel context.CancelCauseFunc) (stop func()) {
	if c.raw == nil {
		return func() {}
	}
	w := &watcher{conn: c, cancel: cancel, done: make(chan struct{})}
	w.timer = time.AfterFunc(watchAfter, w.watch)
	return w.stop
}

func (w *watcher) watch() {
	defer close(w.done)
	if !w.start() {
		return
	}
	// The runtime's poller calls back whenever something happens on the socket. Nothing is read: a pipelined request
	// stays in the socket's buffer.
	err := w.conn.raw.Read(func(fd uintptr) bool { return hungUp(fd) })
	if err == nil {
		w.cancel(ErrHungUp)
	}
}

// start lifts the deadline for reading the request, which would end the watch. It reports false where the watch is not
// to begin.
func (w *watcher) start() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.stopped && w.conn.Conn.SetReadDeadline(time.Time{}) == nil
}

// stop ends the watch and returns when the connection can be read from again.
func (w *watcher) stop() {
	if w.timer.Stop() {
		return
	}
	w.mu.Lock()
	w.stopped = true
	_ = w.conn.Conn.SetReadDeadline(time.Unix(1, 0)) // wakes the watch
	w.mu.Unlock()
	<-w.done
	_ = w.conn.Conn.SetReadDeadline(time.Time{}) // fasthttp sets its own before it reads
}
