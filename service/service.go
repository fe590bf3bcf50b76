// Package service is the HTTP service: it authenticates callers, reads and checks what they ask, and answers in JSON.
//
//	GET /api/dashboard/getStats   the figures of the caller's organisation
//	GET /livez                    200 while the process serves
//	GET /readyz                   200 while every part that answers need is ready, else 503
//
// Every failure is {"error": "<a sentence>"}, with "details" where several things are wrong.
package service

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	defaultReadTimeout    = 10 * time.Second
	defaultRequestTimeout = 30 * time.Second

	// maxRequestHead bounds a request's URL and headers. It has room for 100 KiB of text in a parameter, each byte
	// percent-encoded, beside a token.
	maxRequestHead = 320 << 10
	// maxURL bounds the path and the query of it, and leaves room for the headers.
	maxURL = 304 << 10
	// maxRequestBody bounds what is read, and ignored, behind them.
	maxRequestBody = 64 << 10

	writeTimeout = 30 * time.Second
	idleTimeout  = 75 * time.Second // above the 60 s of common load balancers, which must be the ones that close
)

// Answerer computes figures. It must stop when the context ends. An error is shown by what it matches with errors.Is:
// stats.ErrUnavailable as 503, stats.ErrTimeout as 408, any other as 500.
type Answerer interface {
	Answer(ctx context.Context, q stats.Question) (stats.Figures, error)
}

// Authenticator verifies a bearer token. An error is shown by what it matches with errors.Is: auth.ErrUnauthorized as
// 401, auth.ErrKeysUnavailable as 503, any other as 500.
type Authenticator interface {
	Verify(ctx context.Context, token string) (auth.Caller, error)
}

// Problem is a part that is not ready.
type Problem struct {
	Part  string // shown to whoever asks /readyz, as in "clickhouse"
	Cause error  // logged; not nil
}

// Config is what a service works with. Only the answerer and the authenticator are needed.
type Config struct {
	Answerer      Answerer
	Authenticator Authenticator

	// Ready gives what is not ready, for /readyz. Nil means that everything always is.
	Ready func(ctx context.Context) []Problem
	// Log hears of every request; nil drops it.
	Log *slog.Logger
	// Observe is told of every request; nil: nobody is.
	Observe func(Observation)
	// Tracer makes the requests' spans; nil makes none.
	Tracer trace.Tracer

	// ReadTimeout bounds the time from a request's first byte to its last, and from connecting to the first; 0 means 10
	// seconds.
	ReadTimeout time.Duration
	// RequestTimeout bounds how long a request may be worked on; 0 means 30 seconds.
	RequestTimeout time.Duration
	// Rates bounds how often callers may ask; nil sets no bound.
	Rates *limit.Rates
	// MaxConnections bounds the connections that are open at once; 0 sets no bound. One that receives a request holds
	// maxRequestHead of memory.
	MaxConnections int

	// TLS makes the service speak TLS; nil means plain HTTP, for a proxy in front.
	TLS *tls.Config
	// TrustedProxies are the networks of proxies that may say, in X-Forwarded-For, who asks.
	TrustedProxies []netip.Prefix
	// Origins are those whose pages may ask from a browser (CORS), as in "https://app.example.com".
	Origins []string
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Observe == nil {
		c.Observe = func(Observation) {}
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	if c.ReadTimeout == 0 {
		c.ReadTimeout = defaultReadTimeout
	}
	if c.RequestTimeout == 0 {
		c.RequestTimeout = defaultRequestTimeout
	}
	if c.Rates == nil {
		c.Rates = limit.NewRates(limit.RateOptions{})
	}
	return c
}

// Service serves HTTP on one listener.
type Service struct {
	config      Config
	log         *slog.Logger
	app         *fiber.App
	routes      fasthttp.RequestHandler // the app's
	paths       map[string]bool         // that the routes stand for
	connections *connections

	// base is the context of all requests; cut ends it when graceful shutdown has run out of time.
	base context.Context
	cut  context.CancelCauseFunc
}

// New gives a service that does not listen yet.
func New(config Config) *Service {
	config = config.withDefaults()
	s := &Service{config: config, log: config.Log, connections: newConnections(config.MaxConnections), paths: map[string]bool{}}
	s.base, s.cut = context.WithCancelCause(context.Background())
	s.app = fiber.New(fiber.Config{
		CaseSensitive:         true,
		StrictRouting:         true,
		DisableStartupMessage: true,
		ReduceMemoryUsage:     true, // idle connections then hold no buffer of maxRequestHead; see conn.alone
		ReadBufferSize:        maxRequestHead,
		BodyLimit:             maxRequestBody,
		ReadTimeout:           config.ReadTimeout,
		WriteTimeout:          writeTimeout,
		IdleTimeout:           idleTimeout,
		ErrorHandler:          s.fail,
	})
	s.app.Get("/api/dashboard/getStats", s.getStats)
	s.app.Get("/livez", s.livez)
	s.app.Get("/readyz", s.readyz)

	for _, route := range s.app.GetRoutes() {
		s.paths[route.Path] = true
	}
	s.routes = s.app.Handler()
	s.app.Server().Handler = s.handle
	s.app.Server().ErrorHandler = s.refuse
	return s
}

// Serve answers the listener's connections until Shutdown is called, and returns nil then, or the listener's error. It
// closes the listener. Call it once.
func (s *Service) Serve(listener net.Listener) error {
	tracked := s.connections.listen(listener, s.config)
	if tracked == nil {
		return listener.Close()
	}
	defer s.connections.unlisten()
	return s.app.Listener(tracked)
}

// Connections tells how many connections are open, and how many were refused so far because that were too many.
func (s *Service) Connections() (open int, refused uint64) { return s.connections.count() }

// Shutdown stops gracefully. Requests under way are answered, and so are those that arrive within the next quarter of a
// second; then nobody can connect any more, and idle connections close. It returns when the last answer is sent. If
// ctx ends first, all that is left is cut off, and the context's error returned.
func (s *Service) Shutdown(ctx context.Context) error {
	if err := s.connections.stop(ctx); err != nil {
		s.cut(errStopping)
		return errors.Join(errors.New("requests were cut off because they did not end in time"), err)
	}
	s.cut(errStopping)
	return nil
}
