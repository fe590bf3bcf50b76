// Package transport looks after the connections beneath the HTTP server: it checks what arrives on them before the
// server parses it, bounds how many are open, notices callers that hang up, speaks TLS, and stops gracefully.
//
// fasthttp, which fiber stands on, does none of this in a way that a public service can rely on: it reads requests
// leniently, hangs up on a connection beyond its limit, does not cancel a request whose caller has left, and its
// Shutdown resets connections that wait to be accepted and requests that arrive while it closes idle connections.
package transport

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// stopGrace is how long a stopping service still accepts connections and requests, so that those under way when it
	// was asked to stop are answered rather than reset.
	stopGrace = 250 * time.Millisecond

	// maxRejecting is how many connections beyond the limit are sent the rejection at a time; further ones are closed
	// without it.
	maxRejecting = 64
)

// Options say how connections are treated.
type Options struct {
	MaxConnections int           // open at once; 0: any number
	MaxBody        int64         // bytes of a request's body
	FirstByte      time.Duration // by when a new connection has to send something, its TLS handshake included
	TLS            *tls.Config   // nil: plain HTTP
	Rejection      string        // the HTTP response to a connection beyond the limit
}

// Connections knows all open connections of a service.
type Connections struct {
	options Options

	mu        sync.Mutex
	open      map[*Conn]struct{}
	listener  net.Listener
	listening bool
	stopping  bool
	rejected  uint64        // so far, because too many were open
	rejecting chan struct{} // has room while one more connection can be sent the rejection
	stopped   chan struct{} // closed when stopping and neither listening nor open connections are left
}

// NewConnections returns the connections of a service that does not listen yet.
func NewConnections(o Options) *Connections {
	return &Connections{
		options: o, open: map[*Conn]struct{}{}, rejecting: make(chan struct{}, maxRejecting), stopped: make(chan struct{}),
	}
}

// Listen wraps a listener so that it accepts a *Conn each time. It returns nil once the service stops.
func (s *Connections) Listen(l net.Listener) net.Listener {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopping {
		return nil
	}
	s.listener, s.listening = l, true
	return &listener{l, s}
}

// Unlisten closes the listener. Nothing may be accepted afterwards.
func (s *Connections) Unlisten() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.listener.Close()
	s.listening = false
	s.checkStopped()
}

// Count returns how many connections are open, and how many were rejected so far because too many were.
func (s *Connections) Count() (open int, rejected uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open), s.rejected
}

// Idle returns how many connections are open without a request on them.
func (s *Connections) Idle() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		if c.isIdle() {
			n++
		}
	}
	return n
}

// Stop ends accepting and closes idle connections, after the grace, and returns when the last request is answered and
// every connection closed. When ctx ends first it cuts off what is left and returns the context's error.
func (s *Connections) Stop(ctx context.Context) error {
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

// Stopping reports whether Stop was called.
func (s *Connections) Stopping() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopping
}

// endAccept keeps a listener open for the grace, because the kernel may have accepted connections that the program has
// not yet; those would be reset.
func endAccept(l net.Listener) {
	if d, ok := l.(interface{ SetDeadline(time.Time) error }); ok && d.SetDeadline(time.Now().Add(stopGrace)) == nil {
		return
	}
	_ = l.Close()
}

// cut closes everything at once.
func (s *Connections) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listening {
		_ = s.listener.Close()
	}
	for c := range s.open {
		_ = c.Conn.Close()
	}
}

// add registers a connection. It reports false when too many are open.
func (s *Connections) add(c *Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.options.MaxConnections > 0 && len(s.open) >= s.options.MaxConnections {
		s.rejected++
		return false
	}
	s.open[c] = struct{}{}
	if s.stopping {
		c.drain()
	}
	return true
}

func (s *Connections) remove(c *Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, open := s.open[c]; open {
		delete(s.open, c)
		s.checkStopped()
	}
}

func (s *Connections) checkStopped() {
	if s.stopping && !s.listening && len(s.open) == 0 {
		close(s.stopped)
	}
}

// listener accepts connections that are registered and watched.
type listener struct {
	net.Listener
	connections *Connections
}

// Accept returns io.EOF, which fasthttp treats as a normal end, once the service stops.
func (l *listener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			if l.connections.Stopping() {
				err = io.EOF
			}
			return nil, err
		}
		if c := l.connections.wrap(inner); c != nil {
			return c, nil
		}
	}
}

// wrap returns an accepted connection as one of the service's. It returns nil for one that it has rejected.
func (s *Connections) wrap(inner net.Conn) net.Conn {
	// fasthttp sets no deadline before a connection's first byte. This one covers the TLS handshake, too, which the
	// first read begins.
	_ = inner.SetReadDeadline(time.Now().Add(s.options.FirstByte))
	if s.options.TLS != nil {
		inner = tls.Server(inner, s.options.TLS)
	}
	c := newConn(inner, s)
	if !s.add(c) {
		s.reject(inner)
		return nil
	}
	return c
}

// reject ends a connection beyond the limit. Over TLS a response would cost a handshake, so there is none.
func (s *Connections) reject(inner net.Conn) {
	if s.options.TLS == nil {
		select {
		case s.rejecting <- struct{}{}:
			go func() {
				defer func() { <-s.rejecting }()
				s.sendRejection(inner)
			}()
			return
		default:
		}
	}
	_ = inner.Close()
}

func (s *Connections) sendRejection(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(lingerTime))
	if _, err := io.WriteString(c, s.options.Rejection); err == nil {
		discard(c)
	}
}
