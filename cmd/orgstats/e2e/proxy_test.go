package e2e

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// proxy sits between the program and a server, and simulates a bad network when a test wants one.
type proxy struct {
	url      string // of the server, through the proxy
	target   string
	listener net.Listener
	mode     atomic.Int32
	budget   func() int // bytes that a new connection may transfer from the server before it is cut; nil: any number
	mu       sync.Mutex
	conns    map[net.Conn]bool
	cuts     atomic.Int64
	open     *sync.Cond // signals that connections pass through again
}

// Modes of a proxy.
const (
	passes  = iota
	refuses // connections are closed at once
	hangs   // connections are accepted, and nothing passes through
)

// newProxy starts a proxy of a URL's server. It listens on a port of its own until the end of the test.
func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{target: u.Host, listener: listener, conns: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	p.url, p.open = u.String(), sync.NewCond(&p.mu)
	go p.accept()
	t.Cleanup(func() {
		_ = listener.Close()
		p.set(refuses)
	})
	return p
}

// set changes what happens to connections, including open ones.
func (p *proxy) set(mode int32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode.Store(mode)
	if mode == refuses {
		for conn := range p.conns {
			_ = conn.Close()
		}
	}
	p.open.Broadcast()
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.serve(client)
	}
}

func (p *proxy) serve(client net.Conn) {
	defer p.close(client)
	if !p.keep(client) {
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		return
	}
	defer p.close(server)
	if !p.keep(server) {
		return
	}
	budget := -1
	if p.budget != nil {
		budget = p.budget()
	}
	go func() {
		p.copy(server, client, -1)
		p.close(server)
	}()
	if p.copy(client, server, budget) {
		p.cuts.Add(1)
	}
}

// keep registers a connection, unless the proxy lets none through.
func (p *proxy) keep(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[conn] = true
	return p.mode.Load() != refuses
}

func (p *proxy) close(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, conn)
	_ = conn.Close()
}

// copy copies until the end of either side, or until the budget of bytes, if there is one, is used up, which it
// reports.
func (p *proxy) copy(to io.Writer, from io.Reader, budget int) (cut bool) {
	buffer := make([]byte, 16<<10)
	for {
		n, err := from.Read(buffer)
		p.awaitOpen()
		if budget >= 0 {
			if n > budget {
				n, cut = budget, true
			}
			budget -= n
		}
		if _, writeErr := to.Write(buffer[:n]); err != nil || writeErr != nil || cut {
			return cut
		}
	}
}

// awaitOpen waits while everything hangs.
func (p *proxy) awaitOpen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.mode.Load() == hangs {
		p.open.Wait()
	}
}
