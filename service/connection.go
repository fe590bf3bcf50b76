package service

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"syscall"
	"time"
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

	// Of the bytes since the last request ended:
	blankLines int  // how many there are; the first ends the head of a request
	lineEmpty  bool // the last line has no characters yet
	atEnd      bool // nothing came after the last blank line

	linger bool // bytes may be left unread when it closes
}

func newConn(inner net.Conn, all *connections) *conn {
	c := &conn{Conn: inner, connections: all, idle: true}
	if secured, ok := inner.(*tls.Conn); ok {
		inner = secured.NetConn()
	}
	if socket, ok := inner.(syscall.Conn); ok {
		c.raw, _ = socket.SyscallConn()
	}
	return c
}

// Read notes what arrives.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.begin()
		c.scan(p[:n])
	}
	return n, err
}

// begin notes that a request is under way, which lifts the deadline that drain set.
func (c *conn) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.idle && c.draining {
		_ = c.Conn.SetReadDeadline(time.Time{})
	}
	c.idle = false
}

// scan counts blank lines.
func (c *conn) scan(p []byte) {
	for len(p) > 0 {
		c.atEnd = false
		line, rest, ended := bytes.Cut(p, []byte{'\n'})
		if len(line) > 0 && !bytes.Equal(line, []byte{'\r'}) {
			c.lineEmpty = false
		}
		if !ended {
			return
		}
		if c.lineEmpty {
			c.blankLines++
			c.atEnd = true
		}
		c.lineEmpty = true
		p = rest
	}
}

// alone tells whether the request under way is all that has arrived: no body and no pipelined request. Otherwise the
// connection has to close with the answer, because fasthttp loses answers to pipelined requests when it is set to save
// memory (ReduceMemoryUsage, which lets idle connections do without read buffers).
func (c *conn) alone() bool { return c.blankLines == 1 && c.atEnd }

// finish notes that the request under way is answered but for sending it. Keep says whether another may follow.
func (c *conn) finish() (keep bool) {
	alone := c.alone()
	c.linger = c.linger || !alone
	c.blankLines, c.lineEmpty, c.atEnd = 0, false, false
	c.mu.Lock()
	defer c.mu.Unlock()
	c.idle = true
	return alone && !c.draining
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
