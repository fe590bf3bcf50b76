package service

import (
	"context"
	"io"
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
	stopped   chan struct{} // closed when stopping and neither listening nor open connections are left
}

func newConnections() *connections {
	return &connections{open: map[*conn]struct{}{}, stopped: make(chan struct{})}
}

// listen wraps a listener so that its connections are known. It gives nil once the service stops.
func (s *connections) listen(listener net.Listener) net.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	s.listener, s.listening = listener, true
	return &trackingListener{Listener: listener, connections: s}
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

func (s *connections) add(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = struct{}{}
	if s.stopping {
		c.drain()
	}
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

// trackingListener gives fasthttp connections that are known and watched.
type trackingListener struct {
	net.Listener
	connections *connections
}

// Accept gives io.EOF, which fasthttp takes as a normal end, once the service stops.
func (l *trackingListener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		if l.connections.isStopping() {
			err = io.EOF
		}
		return nil, err
	}
	c := newConn(inner, l.connections)
	l.connections.add(c)
	return c, nil
}
