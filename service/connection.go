package service

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/orgstats/orgstats/service/wire"
)

const (
	lingerTime  = time.Second
	lingerBytes = 16 << 20
)

// conn is a connection that knows whether a request is under way on it. fasthttp reads from it, and handles what it has
// read, in one goroutine; drain comes from another.
type conn struct {
	net.Conn
	raw         syscall.RawConn // nil where the connection is no socket
	connections *connections

	mu       sync.Mutex
	idle     bool // no byte of a next request has arrived
	draining bool // it closes with the request under way, or with the grace when there is none

	request wire.Scanner // what has come of the request that is read or under way
	broken  error        // why no more of it can be read

	linger bool // bytes may be left unread when it closes
}

func newConn(inner net.Conn, all *connections) *conn {
	c := &conn{Conn: inner, connections: all, idle: true, request: wire.Scanner{MaxBody: maxRequestBody}}
	if secured, ok := inner.(*tls.Conn); ok {
		inner = secured.NetConn()
	}
	if socket, ok := inner.(syscall.Conn); ok {
		c.raw, _ = socket.SyscallConn()
	}
	return c
}

// Read looks at what arrives before fasthttp does, which would wait for more after much that can't be answered, or read
// it in its own way.
func (c *conn) Read(p []byte) (int, error) {
	for c.broken == nil {
		n, err := c.Conn.Read(p)
		kept, fault := c.request.Scan(p[:n])
		switch underWay := c.request.Begun() && !c.request.Complete(); {
		case fault != nil:
			c.broken = fault
		case err != nil && underWay && errors.Is(err, io.EOF):
			c.broken = wire.ErrCut
		case err != nil && underWay:
			c.broken = err
		}
		first := (fault != nil || c.request.Begun()) && c.begin()
		if c.broken == nil && (kept > 0 || err != nil) {
			return kept, err
		}
		if c.broken != nil && first {
			// fasthttp hangs up without a word unless it has read a byte.
			p[0] = '?'
			return 1, nil
		}
	}
	return 0, c.broken
}

// begin notes that a request is under way, which lifts the deadline that drain set. First tells whether it was not.
func (c *conn) begin() (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle && c.draining {
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
	first, c.idle = c.idle, false
	return first
}

// finish notes that the request under way is answered but for sending it. Keep says whether another may follow: not
// where anything came beside the head of this one, because fasthttp loses answers to pipelined requests when it is set
// to save memory (ReduceMemoryUsage, which lets idle connections do without read buffers), and because nobody shall
// take a body for a request.
func (c *conn) finish() (keep bool) {
	alone := c.request.Alone()
	keep = alone && !c.request.Close()
	c.linger = c.linger || !alone
	c.request.Next()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = true
	return keep && !c.draining
}

// drain lets the request under way end, or one begin within the grace, and then the connection close.
func (c *conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.idle {
		_ = c.Conn.SetReadDeadline(time.Now().Add(stopGrace))
	}
}

// SetReadDeadline is fasthttp's: it must not outlast the grace of an idle connection that is to close.
func (c *conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if grace := time.Now().Add(stopGrace); c.draining && c.idle && (t.IsZero() || t.After(grace)) {
		t = grace
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline hides an error from fasthttp, which panics on it: it occurs where the connection was cut off, and
// the write that follows fails in good order.
func (c *conn) SetWriteDeadline(t time.Time) error {
	_ = c.Conn.SetWriteDeadline(t)
	return nil
}

// Close closes the connection. Where bytes may be left unread it first reads them, because closing a socket with
// unread bytes resets it, and the caller would lose the answer.
func (c *conn) Close() error {
	defer c.connections.remove(c)
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok && c.linger && half.CloseWrite() == nil {
		_ = c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		_, _ = io.Copy(io.Discard, io.LimitReader(c.Conn, lingerBytes))
	}
	return c.Conn.Close()
}
