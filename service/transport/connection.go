package transport

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

// Conn is a connection that knows whether a request is under way on it. fasthttp reads from it, and handles what it has
// read, in one goroutine; drain is called from another.
type Conn struct {
	net.Conn
	raw         syscall.RawConn // nil where the connection is no socket
	connections *Connections

	mu       sync.Mutex
	idle     bool // no byte of a next request has arrived
	draining bool // it closes with the request under way, or with the grace when there is none

	request wire.Scanner // what has arrived of the request that is read or under way
	err     error        // why no more of it can be read

	linger bool // bytes may be left unread when it closes
}

func newConn(inner net.Conn, all *Connections) *Conn {
	c := &Conn{Conn: inner, connections: all, idle: true, request: wire.Scanner{MaxBody: all.options.MaxBody}}
	if secured, ok := inner.(*tls.Conn); ok {
		inner = secured.NetConn()
	}
	if socket, ok := inner.(syscall.Conn); ok {
		c.raw, _ = socket.SyscallConn()
	}
	return c
}

// Read checks what arrives before fasthttp sees it, which would wait for more after much that can't be answered, or
// read it in its own way.
func (c *Conn) Read(p []byte) (int, error) {
	for c.err == nil {
		n, err := c.Conn.Read(p)
		kept, fault := c.request.Scan(p[:n])
		switch underWay := c.request.Begun() && !c.request.Complete(); {
		case fault != nil:
			c.err = fault
		case err != nil && underWay && errors.Is(err, io.EOF):
			c.err = wire.ErrCut
		case err != nil && underWay:
			c.err = err
		}
		first := (fault != nil || c.request.Begun()) && c.begin()
		if c.err == nil && (kept > 0 || err != nil) {
			return kept, err
		}
		if c.err != nil && first {
			// fasthttp closes the connection without a response unless it has read a byte.
			p[0] = '?'
			return 1, nil
		}
	}
	return 0, c.err
}

// Complete reports whether all of the request has arrived: fasthttp handles a chunked one before the end of its
// trailer.
func (c *Conn) Complete() bool { return c.request.Complete() }

// Fault returns why the request can't be read, nil where nothing is wrong, and lets the connection linger when it
// closes. fasthttp wraps the error of Read beyond recognition.
func (c *Conn) Fault() error {
	c.linger = true
	return c.err
}

// begin notes that a request is under way, which lifts the deadline that drain set. It reports whether none was before.
func (c *Conn) begin() (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle && c.draining {
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
	first, c.idle = c.idle, false
	return first
}

// Finish notes that the request under way is answered but for sending the response. It reports whether another request
// may follow: none where anything arrived beside the head of this one, because fasthttp loses answers to pipelined
// requests when it is set to save memory (ReduceMemoryUsage, which lets idle connections do without read buffers), and
// because nobody shall read a body as a request.
func (c *Conn) Finish() (keep bool) {
	alone := c.request.Alone()
	keep = alone && !c.request.Close()
	c.linger = c.linger || !alone
	c.request.Next()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = true
	return keep && !c.draining
}

func (c *Conn) isIdle() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.idle
}

// drain lets the request under way end, or one begin within the grace, and then the connection close.
func (c *Conn) drain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.draining = true
	if c.idle {
		_ = c.Conn.SetReadDeadline(time.Now().Add(stopGrace))
	}
}

// SetReadDeadline is called by fasthttp. The deadline must not outlast the grace of an idle connection that is to
// close.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if grace := time.Now().Add(stopGrace); c.draining && c.idle && (t.IsZero() || t.After(grace)) {
		t = grace
	}
	return c.Conn.SetReadDeadline(t)
}

// SetWriteDeadline hides an error from fasthttp, which panics on it: it occurs where the connection was cut off, and
// the write that follows returns it.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	_ = c.Conn.SetWriteDeadline(t)
	return nil
}

// Close closes the connection. Where bytes may be left unread it first reads them, because closing a socket with
// unread bytes resets it, and the caller would lose the response.
func (c *Conn) Close() error {
	defer c.connections.remove(c)
	if c.linger {
		_ = c.Conn.SetReadDeadline(time.Now().Add(lingerTime))
		discard(c.Conn)
	}
	return c.Conn.Close()
}

// discard ends the sending side of a connection, and reads what the other end still sends.
func discard(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c, lingerBytes))
	}
}
