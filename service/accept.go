package service

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"
)

// trackingListener gives fasthttp connections that are known and watched.
type trackingListener struct {
	net.Listener
	connections *connections
	tls         *tls.Config   // nil: plain HTTP
	firstByte   time.Duration // by when a connection has to say something
}

// Accept gives io.EOF, which fasthttp takes as a normal end, once the service stops.
func (l *trackingListener) Accept() (net.Conn, error) {
	for {
		inner, err := l.Listener.Accept()
		if err != nil {
			if l.connections.isStopping() {
				err = io.EOF
			}
			return nil, err
		}
		if c := l.take(inner); c != nil {
			return c, nil
		}
	}
}

// take makes an accepted connection one of the service's, or refuses it.
func (l *trackingListener) take(inner net.Conn) net.Conn {
	// fasthttp sets no deadline before a connection's first byte. It covers the TLS handshake, too, which the first
	// read begins.
	_ = inner.SetReadDeadline(time.Now().Add(l.firstByte))
	if l.tls != nil {
		inner = tls.Server(inner, l.tls)
	}
	c := newConn(inner, l.connections)
	if !l.connections.add(c) {
		l.connections.refuse(inner)
		return nil
	}
	return c
}

// maxRefusing is how many connections beyond the limit are told so at a time; further ones are closed without a word.
const maxRefusing = 64

// fullText is what they are told, whatever they were about to ask.
var fullText = func() string {
	body := fmt.Sprintf(`{"error":%q}`, sentences[codeBusy])
	return fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Type: %s\r\nContent-Length: %d\r\nRetry-After: %d\r\n"+
		"Connection: close\r\n\r\n%s", jsonType, len(body), seconds(retryBusy), body)
}()

// refuse ends a connection that is one too many. Over TLS a word would cost a handshake, so there is none.
func (s *connections) refuse(inner net.Conn) {
	if _, secured := inner.(*tls.Conn); !secured {
		select {
		case s.refusing <- struct{}{}:
			go func() {
				defer func() { <-s.refusing }()
				sayFull(inner)
			}()
			return
		default:
		}
	}
	_ = inner.Close()
}

func sayFull(c net.Conn) {
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(lingerTime))
	if _, err := io.WriteString(c, fullText); err != nil {
		return
	}
	// What the caller sends meanwhile is read, because closing a socket with unread bytes resets it.
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c, lingerBytes))
	}
}
