package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	tokenTime = 24 * time.Hour
	stopTime  = 10 * time.Second
)

// server is an HTTP server on a port of loopback, and a client of it.
type server struct {
	client *fasthttp.HostClient
	stop   func() error
}

// servers are the servers that are compared. They accept the same token, and verify it in the same way.
type servers struct {
	uncached *server     // the service on a store without a cache,
	store    *timedStore // which is this one
	cached   *server     // the service as it is
	constant *server     // the service, with an answer that costs nothing
	handler  *server     // nothing but authentication and a constant answer

	token   string
	clients int
	running []*server
	close   func()
}

func (b *bench) startServers(db *database) (_ *servers, err error) {
	key, err := auth.OpenDevKey(b.dir.data())
	if err != nil {
		return nil, err
	}
	s := &servers{clients: b.Clients, close: func() {}, store: &timedStore{Answerer: db.store}}
	admin := auth.Caller{OrgID: db.org.ID, UserID: db.org.AdminUserID, Role: "org:admin"}
	if s.token, err = key.Sign(admin, tokenTime); err != nil {
		return nil, err
	}
	verifier, err := auth.New(context.Background(), auth.Config{Issuer: key.Issuer(), PublicKey: key.PublicPEM()})
	if err != nil {
		return nil, err
	}
	s.close = verifier.Close
	for _, start := range []struct {
		server **server
		app    listening
	}{
		{&s.uncached, newService(s.store, verifier)},
		{&s.cached, newService(db.served, verifier)},
		{&s.constant, newService(constantAnswer{}, verifier)},
		{&s.handler, newConstantHandler(verifier)},
	} {
		if *start.server, err = s.start(start.app); err != nil {
			return nil, errors.Join(err, s.stop())
		}
	}
	return s, nil
}

// listening serves on a listener until it is shut down.
type listening interface {
	Serve(net.Listener) error
	Shutdown(context.Context) error
}

func (s *servers) start(app listening) (*server, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- app.Serve(listener) }()
	started := &server{client: &fasthttp.HostClient{Addr: listener.Addr().String(), MaxConns: s.clients}}
	started.stop = func() error {
		started.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		return errors.Join(app.Shutdown(ctx), <-served)
	}
	s.running = append(s.running, started)
	return started, nil
}

func (s *servers) stop() error {
	var err error
	for _, running := range s.running {
		err = errors.Join(err, running.stop())
	}
	s.close()
	return err
}

// newService returns a service that logs as the program does, but discards the lines: writing them is part of a
// request's cost.
func newService(answerer service.Answerer, verifier *auth.Verifier) *service.Service {
	return service.New(service.Config{Answerer: answerer, Authenticator: verifier, Log: slog.New(slog.DiscardHandler)})
}

// someFigures are a constant answer.
var someFigures = stats.Figures{
	ConversationCount: 12345, MessageCount: 123456, ToolCalls: 12345, TotalTokens: 123456789, InputTokens: 100000000, OutputTokens: 23456789,
	UniqueUsers: 1234, UniqueAgents: 123, TotalFeedback: 1234, TotalHelpful: 1000, TotalNotHelpful: 234,
}

// constantAnswer answers every question with the same figures, at once.
type constantAnswer struct{}

// Answer implements service.Answerer.
func (constantAnswer) Answer(context.Context, stats.Request) (stats.Answer, error) {
	return stats.Answer{Rows: []stats.Row{{Figures: someFigures}}}, nil
}

// timedStore is a store that records how long its last answer took.
type timedStore struct {
	service.Answerer
	last atomic.Int64 // nanoseconds
}

// Answer implements service.Answerer.
func (s *timedStore) Answer(ctx context.Context, r stats.Request) (stats.Answer, error) {
	started := time.Now()
	answer, err := s.Answerer.Answer(ctx, r)
	s.last.Store(int64(time.Since(started)))
	return answer, err
}

// constantHandler is a fiber app that does nothing but verify the token.
type constantHandler struct{ app *fiber.App }

func newConstantHandler(verifier *auth.Verifier) constantHandler {
	body, err := json.Marshal(someFigures)
	if err != nil {
		panic(err) // figures are numbers
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get(statsPath, func(c *fiber.Ctx) error {
		token, err := auth.BearerToken(c.Get(fiber.HeaderAuthorization))
		if err != nil {
			return err
		}
		if _, err := verifier.Verify(c.UserContext(), token); err != nil {
			return err
		}
		c.Type("json")
		return c.Send(body)
	})
	return constantHandler{app}
}

// Serve answers the listener's connections until Shutdown.
func (h constantHandler) Serve(listener net.Listener) error { return h.app.Listener(listener) }

// Shutdown waits for the requests in flight.
func (h constantHandler) Shutdown(ctx context.Context) error { return h.app.ShutdownWithContext(ctx) }
