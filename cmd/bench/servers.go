package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/sample"
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
	url    string
	client *fasthttp.HostClient
	stop   func() error
}

// servers are HTTP servers that accept the same tokens, and verify them in the same way.
type servers struct {
	key      *auth.DevKey
	verifier *auth.Verifier
	clients  int // of each server, at most
	running  []*server
}

func (b *bench) openServers(clients int) (*servers, error) {
	key, err := auth.OpenDevKey(b.dir.file("data"))
	if err != nil {
		return nil, err
	}
	verifier, err := auth.New(context.Background(), auth.Config{Issuer: key.Issuer(), PublicKey: key.PublicPEM()})
	return &servers{key: key, verifier: verifier, clients: clients}, err
}

// admin returns an admin of an organization.
func (s *servers) admin(org sample.Organization) (loadtest.Caller, error) {
	caller := auth.Caller{OrgID: org.ID, UserID: org.AdminUserID, Role: "org:admin"}
	token, err := s.key.Sign(caller, tokenTime)
	return loadtest.Caller{Caller: caller, Token: token}, err
}

// service starts a service that logs as the program does, but discards the lines: writing them is part of a request's
// cost.
func (s *servers) service(config service.Config) (*server, error) {
	config.Authenticator, config.Log = s.verifier, slog.New(slog.DiscardHandler)
	app := service.New(config)
	return s.start(app.Serve, app.Shutdown)
}

func (s *servers) start(serve func(net.Listener) error, shutdown func(context.Context) error) (*server, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	served := make(chan error, 1)
	go func() { served <- serve(listener) }()
	address := listener.Addr().String()
	started := &server{url: "http://" + address, client: &fasthttp.HostClient{Addr: address, MaxConns: s.clients}}
	started.stop = func() error {
		started.client.CloseIdleConnections()
		ctx, cancel := context.WithTimeout(context.Background(), stopTime)
		defer cancel()
		return errors.Join(shutdown(ctx), <-served)
	}
	s.running = append(s.running, started)
	return started, nil
}

func (s *servers) stop() (err error) {
	for _, running := range s.running {
		err = errors.Join(err, running.stop())
	}
	s.verifier.Close()
	return err
}

// someFigures are a constant answer.
var someFigures = stats.Figures{
	ConversationCount: 12345, MessageCount: 123456, ToolCalls: 12345, TotalTokens: 123456789, InputTokens: 100000000, OutputTokens: 23456789,
	UniqueUsers: 1234, UniqueAgents: 123, TotalFeedback: 1234, TotalHelpful: 1000, TotalNotHelpful: 234,
}

// answerer is a function as a service.Answerer.
type answerer func(context.Context, stats.Request) (stats.Answer, error)

// Answer implements service.Answerer.
func (a answerer) Answer(ctx context.Context, r stats.Request) (stats.Answer, error) {
	return a(ctx, r)
}

// constantAnswer answers every question with the same figures, at once.
func constantAnswer(context.Context, stats.Request) (stats.Answer, error) {
	return stats.Answer{Total: stats.Row{Window: stats.Period{Figures: someFigures}}}, nil
}

// constantHandler starts a fiber app that does nothing but verify the token.
func (s *servers) constantHandler() (*server, error) {
	body, err := json.Marshal(someFigures)
	if err != nil {
		return nil, err
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	app.Get(statsPath, func(c *fiber.Ctx) error {
		token, err := auth.BearerToken(c.Get(fiber.HeaderAuthorization))
		if err != nil {
			return err
		}
		if _, err := s.verifier.Verify(c.UserContext(), token); err != nil {
			return err
		}
		c.Type("json")
		return c.Send(body)
	})
	return s.start(app.Listener, app.ShutdownWithContext)
}
