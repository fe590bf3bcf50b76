package service

import (
	"errors"
	"time"

	"github.com/valyala/fasthttp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

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
