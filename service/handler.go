package service

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/trace"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
	"github.com/orgstats/orgstats/service/transport"
)

// exchange is one request and what becomes of it. Its strings are copies: fasthttp reuses its buffers.
type exchange struct {
	http    *fasthttp.RequestCtx
	ctx     context.Context // of the request's span
	span    trace.Span
	id      string
	client  netip.Addr
	method  string
	route   string
	path    string
	query   string
	caller  auth.Caller
	account *stats.Account // nil where no question was asked
	failure *failure
	probe   bool // asked by a machine every few seconds
	started time.Time
}

type exchangeKey struct{}

// exchangeOf finds what handle put into the request.
func exchangeOf(c *fiber.Ctx) *exchange {
	return c.Context().UserValue(exchangeKey{}).(*exchange)
}

// handle stands around fiber's routes, so that whatever happens is answered in JSON and logged once.
func (s *Service) handle(http *fasthttp.RequestCtx) {
	if c, ok := http.Conn().(*transport.Conn); ok && !c.Complete() {
		s.refuse(http, nil) // fasthttp does without the end of a trailer
		return
	}
	e := s.begin(http)
	defer s.end(e)
	defer func() {
		if cause := recover(); cause != nil {
			http.Response.Reset()
			s.show(e, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	if len(e.path)+len(e.query) > maxURL {
		s.show(e, failureOf(codeURLTooLong, nil))
		return
	}
	if s.isPreflight(&http.Request.Header) {
		answerPreflight(&http.Response)
		return
	}
	if strings.Contains(e.path, "://") {
		// fasthttp would take what follows for an absolute URL, and fiber would answer for its path.
		s.show(e, fiber.ErrNotFound)
		return
	}
	if e.path == "*" || e.method == fiber.MethodConnect || !slices.Contains(fiber.DefaultMethods, e.method) {
		// They are about the service as a whole, or about no path of it; and fiber would answer unknown methods in
		// plain text.
		http.Response.Header.Set(fasthttp.HeaderAllow, "GET, HEAD")
		s.show(e, fiber.ErrMethodNotAllowed)
		return
	}
	s.routes(http)
}

// begin takes what is needed out of the request. It leaves the path alone as the URL, because fasthttp takes an
// unescaped :// in a query for the start of an absolute URL, and one host for all, because fasthttp's rules for hosts
// are its own and nothing here depends on them.
func (s *Service) begin(http *fasthttp.RequestCtx) *exchange {
	path, query, _ := bytes.Cut(origin(http.Request.Header.RequestURI()), []byte{'?'})
	e := &exchange{
		http:    http,
		id:      requestID(&http.Request.Header),
		client:  s.client(http),
		method:  string(http.Method()),
		route:   s.routeOf(string(path)),
		path:    string(path),
		query:   string(query),
		started: time.Now(),
	}
	http.Request.SetRequestURI(e.path)
	http.Request.Header.SetHost(anyHost)
	http.SetUserValue(exchangeKey{}, e)
	s.startSpan(e)
	return e
}

// end says who asked, what became of it and how long it took, and whether the connection stays open.
func (s *Service) end(e *exchange) {
	e.http.Response.Header.Set(fiber.HeaderXRequestID, e.id)
	s.allowOrigin(&e.http.Request.Header, &e.http.Response.Header)
	s.secure(&e.http.Response.Header)
	if c, ok := e.http.Conn().(*transport.Conn); ok && !c.Finish() {
		e.http.SetConnectionClose()
	}
	o := s.observation(e)
	s.logExchange(e, o)
	e.endSpan(o)
	s.config.Observe(o)
}

// fail is fiber's error handler: every error of a route comes here.
func (s *Service) fail(c *fiber.Ctx, err error) error {
	s.show(exchangeOf(c), err)
	return nil
}

// show answers with what may be shown of an error.
func (s *Service) show(e *exchange, err error) {
	e.failure = asFailure(err)
	if err := respondFailure(&e.http.Response, e.failure); err != nil {
		s.log.Error("a failure could not be shown", "error", err, "request_id", e.id)
	}
}
