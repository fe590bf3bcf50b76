package service

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/auth"
)

// exchange is one request and what becomes of it. Its strings are copies: fasthttp reuses its buffers.
type exchange struct {
	http    *fasthttp.RequestCtx
	id      string
	method  string
	path    string
	query   string
	caller  auth.Caller
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
	e := s.begin(http)
	defer s.end(e)
	defer func() {
		if cause := recover(); cause != nil {
			http.Response.Reset()
			s.show(e, fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
		}
	}()
	if !slices.Contains(fiber.DefaultMethods, e.method) {
		// fiber would answer in plain text.
		http.Response.Header.Set(fasthttp.HeaderAllow, "GET, HEAD")
		s.show(e, fiber.ErrMethodNotAllowed)
		return
	}
	s.routes(http)
}

// begin takes what is needed out of the request. It leaves the path alone as the URL, because fasthttp takes an
// unescaped :// in a query for the start of an absolute URL.
func (s *Service) begin(http *fasthttp.RequestCtx) *exchange {
	path, query, _ := bytes.Cut(http.Request.Header.RequestURI(), []byte{'?'})
	e := &exchange{
		http:    http,
		id:      requestID(&http.Request.Header),
		method:  string(http.Method()),
		path:    string(path),
		query:   string(query),
		started: time.Now(),
	}
	http.Request.SetRequestURI(e.path)
	http.SetUserValue(exchangeKey{}, e)
	return e
}

// end says who asked, what became of it and how long it took, and whether the connection stays open.
func (s *Service) end(e *exchange) {
	e.http.Response.Header.Set(fiber.HeaderXRequestID, e.id)
	if c, ok := e.http.Conn().(*conn); ok && !c.finish() {
		e.http.SetConnectionClose()
	}
	s.logExchange(e)
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

// refuse answers what fasthttp could not read as a request.
func (s *Service) refuse(http *fasthttp.RequestCtx, err error) {
	e := &exchange{http: http, id: newRequestID(), started: time.Now()}
	c := codeInvalid
	if _, ok := errors.AsType[*fasthttp.ErrSmallBuffer](err); ok {
		c = codeHeadTooLarge
	} else if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		c = codeTimeout
	} else if errors.Is(err, fasthttp.ErrBodyTooLarge) {
		c = codeBodyTooLarge
	}
	if connection, ok := http.Conn().(*conn); ok {
		connection.linger = true
	}
	// The error quotes the request, which may hold a token, so it is not logged.
	s.show(e, failureOf(c, nil))
	s.end(e)
}

// logExchange writes the request's line. It never holds the token, the query or what the query says.
func (s *Service) logExchange(e *exchange) {
	attrs := []slog.Attr{
		slog.String("request_id", e.id),
		slog.String("method", shorten(e.method)),
		slog.String("path", shorten(e.path)),
		slog.Int("status", e.http.Response.StatusCode()),
		slog.Duration("duration", time.Since(e.started)),
		slog.String("org", e.caller.OrgID),
		slog.String("user", e.caller.UserID),
	}
	level := slog.LevelInfo
	if e.probe {
		level = slog.LevelDebug
	}
	if e.failure != nil && e.failure.cause != nil {
		attrs = append(attrs, slog.Any("error", e.failure.cause))
		if refused, ok := errors.AsType[*auth.Error](e.failure.cause); ok {
			attrs = append(attrs, slog.String("reason", string(refused.Reason)))
		}
		if statuses[e.failure.code] >= fasthttp.StatusInternalServerError {
			level = slog.LevelError
		}
	}
	s.log.LogAttrs(s.base, level, "request", attrs...)
}
