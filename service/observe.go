package service

import (
	"errors"
	"log/slog"
	"time"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

// Routes of requests that none of the service's paths stand for.
const (
	RouteOther   = "other"   // a path that is nobody's
	RouteInvalid = "invalid" // what could not be read as a request
)

// Observation is what became of a request.
type Observation struct {
	Route   string // the path, if it is one of the service's, else RouteOther or RouteInvalid
	Status  int
	Took    time.Duration
	Refused auth.Reason  // why the token was refused, "" if it was not
	Busy    limit.Reason // why the service had no place for it, "" if it had
	Rate    limit.Scope  // whose rate was exceeded, "" if none was
	Costs   stats.Costs
}

// observation gathers what became of a request.
func (s *Service) observation(e *exchange) Observation {
	o := Observation{
		Route: e.route, Status: e.http.Response.StatusCode(), Took: time.Since(e.started), Costs: e.account.Costs(),
	}
	if e.failure == nil {
		return o
	}
	if refusal, ok := errors.AsType[*auth.Error](e.failure.cause); ok {
		o.Refused = refusal.Reason
	}
	if busy, ok := errors.AsType[*limit.BusyError](e.failure.cause); ok {
		o.Busy = busy.Reason
	}
	if exceeded, ok := errors.AsType[*limit.RateError](e.failure.cause); ok {
		o.Rate = exceeded.Scope
	}
	return o
}

// routeOf is the route of a path.
func (s *Service) routeOf(path string) string {
	if s.paths[path] {
		return path
	}
	return RouteOther
}

// startSpan begins the request's span, as a child of the caller's if it names one (W3C Trace Context).
func (s *Service) startSpan(e *exchange) {
	ctx := propagation.TraceContext{}.Extract(s.base, headerCarrier{&e.http.Request.Header})
	e.ctx, e.span = s.config.Tracer.Start(ctx, e.method+" "+e.route, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithTimestamp(e.started),
		trace.WithAttributes(attribute.String("http.request.method", e.method), attribute.String("http.route", e.route),
			attribute.String("orgstats.request_id", e.id)))
}

// endSpan says who asked and what became of it; nothing of what was asked.
func (e *exchange) endSpan(o Observation) {
	e.span.SetAttributes(attribute.Int("http.response.status_code", o.Status))
	if e.caller.OrgID != "" {
		e.span.SetAttributes(attribute.String("orgstats.organization_id", e.caller.OrgID))
	}
	if o.Costs.Cache != "" {
		e.span.SetAttributes(attribute.String("orgstats.cache", o.Costs.Cache), attribute.String("orgstats.plan", o.Costs.Plan))
	}
	if o.Status >= fasthttp.StatusInternalServerError {
		e.span.SetStatus(codes.Error, "")
	}
	e.span.End()
}

// headerCarrier lets the propagator read a request's headers.
type headerCarrier struct{ header *fasthttp.RequestHeader }

func (c headerCarrier) Get(name string) string { return string(c.header.Peek(name)) }

func (c headerCarrier) Set(string, string) {}

func (c headerCarrier) Keys() []string { return nil }

// logExchange writes the request's line. It never holds the token, the query or what the query says.
func (s *Service) logExchange(e *exchange, o Observation) {
	attrs := []slog.Attr{
		slog.String("request_id", e.id),
		slog.String("client", e.client.String()),
		slog.String("method", shorten(e.method)),
		slog.String("path", shorten(e.path)),
		slog.Int("status", o.Status),
		slog.Duration("duration", o.Took),
		slog.String("org", e.caller.OrgID),
		slog.String("user", e.caller.UserID),
	}
	attrs = append(attrs, costAttrs(o)...)
	if span := e.span.SpanContext(); span.IsSampled() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()))
	}
	if e.failure != nil && e.failure.cause != nil {
		attrs = append(attrs, slog.String("error", clickhouse.Redact(e.failure.cause)))
	}
	s.log.LogAttrs(s.base, levelOf(e, o), "request", attrs...)
}

// costAttrs say what the answer took, and why there was none.
func costAttrs(o Observation) (attrs []slog.Attr) {
	if o.Costs.Cache != "" {
		attrs = append(attrs, slog.String("cache", o.Costs.Cache))
	}
	if o.Costs.Plan != "" {
		attrs = append(attrs, slog.String("plan", o.Costs.Plan))
	}
	if o.Costs.Statements > 0 {
		attrs = append(attrs, slog.Int("statements", o.Costs.Statements), slog.Uint64("rows_read", o.Costs.Rows))
	}
	if o.Costs.Waited >= time.Millisecond {
		attrs = append(attrs, slog.Duration("waited", o.Costs.Waited))
	}
	if o.Refused != "" {
		attrs = append(attrs, slog.String("reason", string(o.Refused)))
	}
	return attrs
}

// levelOf is how important a request is to who reads the log. What was turned away because there is too much of it is
// no error of the service, and would fill the log just when it has the most to do. Nor is what was no request.
func levelOf(e *exchange, o Observation) slog.Level {
	switch {
	case o.Busy != "" || o.Rate != "" || o.Route == RouteInvalid:
		return slog.LevelInfo
	case o.Status >= fasthttp.StatusInternalServerError && e.failure != nil && e.failure.cause != nil:
		return slog.LevelError
	case e.probe:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
