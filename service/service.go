// Package service is the HTTP service: it authenticates callers, reads and checks what they ask, and answers in JSON.
//
//	GET /api/dashboard/getStats        the figures of the caller's organization
//	GET /api/dashboard/getTimeSeries   the same by interval of a calendar
//	GET /api/dashboard/getBreakdown    the same by agent, user and more
//	GET /livez                         200 while the process serves
//	GET /readyz                        200 while every part that answers need is ready, else 503
//	GET /openapi.json                  this interface, as OpenAPI 3.1
//	GET /docs                          the same, as a page
//	GET /                              the dashboard, and what it loads below /assets/
//
// Every failure is {"error": "<a sentence>"}, with "details" where several things are wrong.
package service

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/dashboard"
	"github.com/orgstats/orgstats/service/openapi"
	"github.com/orgstats/orgstats/service/transport"
)

const (
	// maxRequestHead bounds a request's URL and headers. It has room for 100 KiB of text in a parameter, each byte
	// percent-encoded, beside a token.
	maxRequestHead = 320 << 10
	// maxURL bounds the path and the query of it, and leaves room for the headers.
	maxURL = 304 << 10
	// maxRequestBody bounds what is read, and ignored, behind them.
	maxRequestBody = 64 << 10
)

// Service serves HTTP on one listener.
type Service struct {
	config   Config
	log      *slog.Logger
	app      *fiber.App
	routes   fasthttp.RequestHandler // the app's
	paths    map[string]bool         // that the routes stand for
	document []byte                  // that describes the interface
	page     []byte                  // made from it
	// dashboardPage names the origins that may embed it.
	dashboardPage []byte
	connections   *transport.Connections

	// base is the context of all requests; cut ends it when graceful shutdown has run out of time.
	base context.Context
	cut  context.CancelCauseFunc
}

// New returns a service that does not listen yet.
func New(config Config) *Service {
	config = config.withDefaults()
	s := &Service{config: config, log: config.Log, paths: map[string]bool{}}
	s.connections = transport.NewConnections(transport.Options{
		MaxConnections: config.MaxConnections, MaxBody: maxRequestBody, FirstByte: config.ReadTimeout, TLS: config.TLS,
		Rejection: rejection,
	})
	s.document, s.page = openapi.Describe(config.Build.Version)
	s.dashboardPage = dashboard.Page(config.EmbedOrigins)
	s.base, s.cut = context.WithCancelCause(context.Background())
	s.app = fiber.New(fiber.Config{
		CaseSensitive:         true,
		StrictRouting:         true,
		DisableStartupMessage: true,
		ReduceMemoryUsage:     true, // idle connections then hold no buffer of maxRequestHead; see transport.Conn.Finish
		ReadBufferSize:        maxRequestHead,
		BodyLimit:             maxRequestBody,
		ReadTimeout:           config.ReadTimeout,
		WriteTimeout:          config.WriteTimeout,
		IdleTimeout:           config.IdleTimeout,
		ErrorHandler:          s.handleError,

		DisablePreParseMultipartForm: true, // bodies are ignored
	})
	for _, e := range endpoints {
		s.app.Get("/api/dashboard/"+e.name, s.serve(e))
	}
	s.app.Get("/livez", s.livez)
	s.app.Get(readyPath, s.readyz)
	s.app.Get("/openapi.json", s.openAPI)
	s.app.Get("/docs", s.docs)
	s.app.Get("/", s.dashboard)

	for _, route := range s.app.GetRoutes() {
		s.paths[route.Path] = true
	}
	s.app.Get(dashboard.AssetsPath+"*", s.asset)
	s.routes = s.app.Handler()
	s.app.Server().Handler = s.handle
	s.app.Server().ErrorHandler = s.handleInvalid
	s.app.Server().HeaderReceived = normalizeExpect
	return s
}

// Serve answers the listener's connections until Shutdown is called, and returns nil then, or the listener's error. It
// closes the listener. Call it once.
func (s *Service) Serve(listener net.Listener) error {
	tracked := s.connections.Listen(listener)
	if tracked == nil {
		return listener.Close()
	}
	defer s.connections.Unlisten()
	return s.app.Listener(tracked)
}

// Connections returns how many connections are open, and how many were rejected so far because too many were.
func (s *Service) Connections() (open int, rejected uint64) { return s.connections.Count() }

// Shutdown stops gracefully. Requests under way are answered, and so are those that arrive within the next quarter of a
// second; then nobody can connect any more, and idle connections close. It returns when the last answer is sent. If
// ctx ends first, all that is left is cut off, and the context's error returned.
func (s *Service) Shutdown(ctx context.Context) error {
	if err := s.connections.Stop(ctx); err != nil {
		s.cut(errStopping)
		return errors.Join(errors.New("requests were cut off because they did not end in time"), err)
	}
	s.cut(errStopping)
	return nil
}
