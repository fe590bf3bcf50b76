package service

import (
	"context"
	"net"
	"sync"
	"time"
)

// stopGrace is how long a stopping service still takes connections and requests, so that those under way when it was
// told to stop are answered rather than reset.
const stopGrace = 250 * time.Millisecond

// connections knows all open connections of a service, in order to stop gracefully. fasthttp's own Shutdown is not
// used: it resets connections that wait to be accepted and requests that arrive while it closes idle connections, and
// waits for silent ones until their read timeout.
type connections struct {
	mu        sync.Mutex
	open      map[*conn]struct{}
	listener  net.Listener
	listening bool
	stopping  bool
	most      int           // that may be open; 0: any number
	refused   uint64        // so far, because that were too many
	refusing  chan struct{} // has room while one more can be told that it is refused
	stopped   chan struct{} // closed when stopping and neither listening nor open connections are left
}

func newConnections(most int) *connections {
	return &connections{
		open: map[*conn]struct{}{}, most: most, refusing: make(chan struct{}, maxRefusing), stopped: make(chan struct{}),
	}
}

// listen wraps a listener so that its connections are known, and secured where that is configured. It gives nil once
// the service stops.
func (s *connections) listen(listener net.Listener, config Config) net.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	s.listener, s.listening = listener, true
	return &trackingListener{Listener: listener, connections: s, tls: config.TLS, firstByte: config.ReadTimeout}
}

// stop makes accepting end and idle connections close, after the grace, and returns when the last request is answered
// and every connection closed. When ctx ends first it cuts off what is left and gives the context's error.
func (s *connections) stop(ctx context.Context) error {
	s.mu.Lock()
	first := !s.stopping
	s.stopping = true
	if first && s.listening {
		endAccept(s.listener)
	}
	for c := range s.open {
		c.drain()
	}
	if first {
		s.checkStopped()
	}
	s.mu.Unlock()

	select {
	case <-s.stopped:
		return nil
	case <-ctx.Done():
		s.cut()
		return ctx.Err()
	}
}

// endAccept lets a listener go on for the grace, because the kernel may have accepted connections that the program has
// not yet; those would be reset.
func endAccept(listener net.Listener) {
	if l, ok := listener.(interface{ SetDeadline(time.Time) error }); ok && l.SetDeadline(time.Now().Add(stopGrace)) == nil {
		return
	}
	_ = listener.Close()
}

// cut closes everything at once.
func (s *connections) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listening {
		_ = s.listener.Close()
	}
	for c := range s.open {
		_ = c.Conn.Close()
	}
}

// add takes a connection, unless too many are open.
func (s *connections) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.most > 0 && len(s.open) >= s.most {
		s.refused++
		return false
	}
	s.open[c] = struct{}{}
	if s.stopping {
		c.drain()
	}
	return true
}

func (s *connections) count() (open int, refused uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open), s.refused
}

func (s *connections) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.open[c]; open {
		delete(s.open, c)
		s.checkStopped()
	}
}

// unlisten closes the listener. Nothing may be accepted afterwards.
func (s *connections) unlisten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.listener.Close()
	s.listening = false
	s.checkStopped()
}

func (s *connections) checkStopped() {
	if s.stopping && !s.listening && len(s.open) == 0 {
		close(s.stopped)
	}
}

func (s *connections) isStopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}
