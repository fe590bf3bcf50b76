package service

import (
	"cmp"
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	defaultReadTimeout    = 10 * time.Second
	defaultRequestTimeout = 30 * time.Second
	defaultWriteTimeout   = 30 * time.Second
	defaultIdleTimeout    = 75 * time.Second // above the 60 s of common load balancers, which must be the ones that close
)

// Answerer answers questions. It must stop when the context ends. An error is shown by what it matches with errors.Is:
// stats.ErrUnavailable as 503, stats.ErrTimeout as 408, any other as 500.
type Answerer interface {
	Answer(ctx context.Context, r stats.Request) (stats.Answer, error)
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

// Build says which program the service is part of.
type Build struct {
	Version   string // as the build stamped it
	Commit    string // "" where it is not known
	Toolchain string // that compiled it
	Engine    string // the release of the embedded engine
}

// Config is what a service works with. Only the answerer and the authenticator are needed.
type Config struct {
	Answerer      Answerer
	Authenticator Authenticator

	// Build is shown by the description of the interface and by the log's lines for /readyz.
	Build Build
	// Ready returns what is not ready, for /readyz. Nil means that everything always is.
	Ready func(ctx context.Context) []Problem
	// Log receives a line for every request; nil drops it.
	Log *slog.Logger
	// Observe is called for every request, once it is answered; may be nil.
	Observe func(Observation)
	// Tracer makes the requests' spans; nil makes none.
	Tracer trace.Tracer

	// ReadTimeout bounds the time from a request's first byte to its last, and from connecting to the first; 0 means 10
	// seconds.
	ReadTimeout time.Duration
	// RequestTimeout bounds how long a request may be worked on; 0 means 30 seconds.
	RequestTimeout time.Duration
	// WriteTimeout bounds how long an answer may take to be sent; 0 means 30 seconds.
	WriteTimeout time.Duration
	// IdleTimeout bounds the time between two requests of a connection; 0 means 75 seconds.
	IdleTimeout time.Duration
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
	// EmbedOrigins are those whose pages may embed the dashboard and hand it tokens.
	EmbedOrigins []string
}

// withDefaults fills in what was left out.
func (c Config) withDefaults() Config {
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	if c.Observe == nil {
		c.Observe = func(Observation) {}
	}
	if c.Tracer == nil {
		c.Tracer = noop.NewTracerProvider().Tracer("")
	}
	c.ReadTimeout = cmp.Or(c.ReadTimeout, defaultReadTimeout)
	c.RequestTimeout = cmp.Or(c.RequestTimeout, defaultRequestTimeout)
	c.WriteTimeout = cmp.Or(c.WriteTimeout, defaultWriteTimeout)
	c.IdleTimeout = cmp.Or(c.IdleTimeout, defaultIdleTimeout)
	c.Rates = cmp.Or(c.Rates, limit.NewRates(limit.RateOptions{}))
	return c
}
