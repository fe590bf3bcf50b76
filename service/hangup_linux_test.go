package service

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/orgstats/orgstats/service/stats"
	"github.com/orgstats/orgstats/service/transport"
)

func TestHangUpStopsTheQuery(t *testing.T) {
	for _, row := range []struct {
		why    string
		hangUp func(t *testing.T, c *net.TCPConn)
	}{
		{"the caller closes", func(_ *testing.T, c *net.TCPConn) { _ = c.Close() }},
		{"the caller resets", func(_ *testing.T, c *net.TCPConn) { _ = c.SetLinger(0); _ = c.Close() }},
		{"half a close is taken for a whole", func(_ *testing.T, c *net.TCPConn) { _ = c.CloseWrite() }},
		{"the caller closes behind another request", func(t *testing.T, c *net.TCPConn) {
			send(t, c, rawRequest(admin, day))
			_ = c.Close()
		}},
	} {
		t.Run(row.why, func(t *testing.T) {
			slow := newGate()
			service := start(t, Config{Answerer: slow})
			c := service.dial(t)
			send(t, c, rawRequest(admin, day))
			<-slow.entered
			started := time.Now()
			row.hangUp(t, c)
			if cause := <-slow.causes; !errors.Is(cause, transport.ErrHungUp) {
				t.Fatalf("the query ended with %v, want %v", cause, transport.ErrHungUp)
			}
			if took := time.Since(started); took > defaultRequestTimeout/2 { // a busy machine may take some seconds
				t.Errorf("it took %v to notice", took)
			}
		})
	}
}

// watched is when the connection of a long request is watched, for certain.
const watched = 100 * time.Millisecond

func TestWatchLeavesTheConnectionAsItWas(t *testing.T) {
	asked := &recorder{}
	service := start(t, Config{Answerer: answererFunc(func(ctx context.Context, r stats.Request) (stats.Answer, error) {
		select { // until the watch has begun
		case <-ctx.Done():
		case <-time.After(watched):
		}
		if ctx.Err() != nil {
			return stats.Answer{}, ctx.Err()
		}
		return asked.Answer(ctx, r)
	})})
	connection := service.dial(t)
	reader := bufio.NewReader(connection)
	for range 3 {
		send(t, connection, rawRequest(admin, day))
		if got := readNext(t, reader); got.status != 200 {
			t.Fatalf("got %d %s", got.status, got.body)
		}
	}
	// A request that comes while one is under way wakes the watch, but is no hanging up.
	send(t, connection, rawRequest(admin, day))
	time.AfterFunc(watched*3/4, func() { _, _ = io.WriteString(connection, rawRequest(member, day)) })
	for _, user := range []string{admin.UserID, member.UserID} {
		if got := readNext(t, reader); got.status != 200 {
			t.Fatalf("got %d %s for %s", got.status, got.body, user)
		}
	}
	if n := len(asked.questions); n != 5 || asked.questions[4].UserID != member.UserID {
		t.Errorf("%d questions were answered, the last by %s", n, asked.questions[n-1].UserID)
	}
}
