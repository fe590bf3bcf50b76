package transport

import (
	"net"
	"testing"
)

// A short request pays for a timer only.
func BenchmarkWatchOfAShortRequest(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	inner, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer inner.Close()
	c := newConn(inner, NewConnections(Options{}))
	for b.Loop() {
		c.CancelOnHangUp(func(error) {})()
	}
}
