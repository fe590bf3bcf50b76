package service

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/stats"
	"github.com/orgstats/orgstats/service/transport"
)

// gate is an answerer that waits to be opened, or for its context to end.
type gate struct {
	entered chan struct{}
	opened  chan struct{}
	causes  chan error // of contexts that ended first
}

func newGate() *gate {
	return &gate{entered: make(chan struct{}, 100), opened: make(chan struct{}), causes: make(chan error, 100)}
}

func (g *gate) Answer(ctx context.Context, _ stats.Request) (stats.Answer, error) {
	g.entered <- struct{}{}
	select {
	case <-g.opened:
		return stats.Answer{}, nil
	case <-ctx.Done():
		g.causes <- context.Cause(ctx)
		return stats.Answer{}, ctx.Err()
	}
}

// within returns a context that ends after a while, for what should not take that long.
func within(t *testing.T, limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	return ctx
}

func shutdown(service *running, ctx context.Context) chan error {
	done := make(chan error, 1)
	go func() { done <- service.Shutdown(ctx) }()
	return done
}

func TestShutdownAnswersWhatIsUnderWay(t *testing.T) {
	const requests = 20
	slow := newGate()
	service := start(t, Config{Answerer: slow})
	var connections []net.Conn
	for range requests {
		c := service.dial(t)
		send(t, c, rawRequest(admin, day))
		connections = append(connections, c)
	}
	for range requests {
		<-slow.entered
	}
	idle, silent, late := service.dial(t), service.dial(t), service.dial(t)
	send(t, idle, "GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
	idleReader := bufio.NewReader(idle)
	readNext(t, idleReader)
	text := rawRequest(admin, day)
	send(t, late, text[:10])
	enginetest.Await(t, "all connections are open", func() bool { return service.openConnections() == requests+3 })
	enginetest.Await(t, "the late request has begun", func() bool { return service.connections.Idle() == 2 })

	done := shutdown(service, within(t, enginetest.Patience))
	enginetest.Await(t, "new connections are refused", func() bool {
		c, err := net.Dial("tcp", service.address)
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	send(t, late, text[10:])
	<-slow.entered
	for name, reader := range map[string]io.Reader{"idle": idleReader, "silent": silent} {
		if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
			t.Errorf("the %s connection ended with %q, %v, want a clean end", name, rest, err)
		}
	}
	select {
	case err := <-done:
		t.Fatalf("shutdown returned while requests were under way: %v", err)
	default:
	}
	close(slow.opened)
	for _, c := range append(connections, late) {
		if got := readAnswer(t, c); got.status != 200 || got.header.Get("Connection") != "close" {
			t.Errorf("got %d %s %v", got.status, got.body, got.header)
		}
	}
	if err := <-done; err != nil {
		t.Errorf("shutdown: %v", err)
	}
	if err := <-service.served; err != nil {
		t.Errorf("serve: %v", err)
	}
}

func TestShutdownTakesWhatArrivesAtThatMoment(t *testing.T) {
	service := start(t, Config{})
	idle := service.dial(t)
	reader := bufio.NewReader(idle)
	send(t, idle, rawRequest(admin, day))
	readNext(t, reader)
	done := shutdown(service, within(t, enginetest.Patience))
	enginetest.Await(t, "the service stops", service.connections.Stopping)
	send(t, idle, rawRequest(admin, day))
	fresh := service.dial(t) // may still be in the kernel's queue
	send(t, fresh, rawRequest(admin, day))
	for name, r := range map[string]*bufio.Reader{"idle": reader, "fresh": bufio.NewReader(fresh)} {
		if got := readNext(t, r); got.status != 200 || got.header.Get("Connection") != "close" {
			t.Errorf("%s: got %d %v", name, got.status, got.header)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestShutdownOutOfTimeCutsOff(t *testing.T) {
	slow := newGate()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	service := New(Config{Answerer: slow, Authenticator: plainTokens{}})
	served := make(chan error, 1)
	go func() { served <- service.Serve(listener) }()
	c, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send(t, c, rawRequest(admin, day))
	<-slow.entered
	if err := service.Shutdown(within(t, 10*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown: %v, want the context's error", err)
	}
	if cause := <-slow.causes; !errors.Is(cause, errStopping) && !errors.Is(cause, transport.ErrHungUp) {
		t.Errorf("the query ended with %v", cause)
	}
	if err := <-served; err != nil {
		t.Errorf("serve: %v", err)
	}
	if err := service.Shutdown(within(t, enginetest.Patience)); err != nil {
		t.Errorf("a second shutdown: %v", err)
	}
}

func TestShutdownBeforeServe(t *testing.T) {
	service := New(Config{Answerer: newGate(), Authenticator: plainTokens{}})
	if err := service.Shutdown(within(t, enginetest.Patience)); err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := service.Serve(listener); err != nil {
		t.Errorf("serve: %v", err)
	}
	if c, err := net.Dial("tcp", listener.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("the listener is still open")
	}
}

func TestServeGivesTheListenersError(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	service := New(Config{Answerer: newGate(), Authenticator: plainTokens{}})
	if err := service.Serve(brokenListener{listener, broken}); !errors.Is(err, broken) {
		t.Errorf("serve: %v, want %v", err, broken)
	}
	if err := service.Shutdown(within(t, enginetest.Patience)); err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

type brokenListener struct {
	net.Listener
	err error
}

func (l brokenListener) Accept() (net.Conn, error) { return nil, l.err }

func (s *Service) openConnections() int {
	open, _ := s.connections.Count()
	return open
}
