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
	RouteAsset   = "asset"   // what the dashboard loads
	RouteOther   = "other"   // a path that is nobody's
	RouteInvalid = "invalid" // what could not be read as a request
)

// Observation is what became of a request.
type Observation struct {
	Route  string // the path, if it is one of the service's, else one of those above
	Status int
	Took   time.Duration
	Costs  stats.Costs

	TokenRefused auth.Reason  // why the token was refused, "" if it was not
	Shed         limit.Reason // why the service was overloaded, "" if it was not
	RateLimited  limit.Scope  // whose rate was exceeded, "" if none was
}

// observation returns what became of a request.
func (s *Service) observation(r *request) Observation {
	o := Observation{
		Route: r.route, Status: r.http.Response.StatusCode(), Took: time.Since(r.started), Costs: r.cost.Costs(),
	}
	if r.failure == nil {
		return o
	}
	if refusal, ok := errors.AsType[*auth.Error](r.failure.cause); ok {
		o.TokenRefused = refusal.Reason
	}
	if overload, ok := errors.AsType[*limit.OverloadError](r.failure.cause); ok {
		o.Shed = overload.Reason
	}
	if exceeded, ok := errors.AsType[*limit.RateLimitError](r.failure.cause); ok {
		o.RateLimited = exceeded.Scope
	}
	return o
}

// startSpan begins the request's span, as a child of the caller's if it names one (W3C Trace Context).
func (s *Service) startSpan(r *request) {
	ctx := propagation.TraceContext{}.Extract(s.base, headerCarrier{&r.http.Request.Header})
	r.ctx, r.span = s.config.Tracer.Start(ctx, r.method+" "+r.route, trace.WithSpanKind(trace.SpanKindServer),
		trace.WithTimestamp(r.started),
		trace.WithAttributes(attribute.String("http.request.method", r.method), attribute.String("http.route", r.route),
			attribute.String("orgstats.request_id", r.id)))
}

// endSpan adds the caller and what became of the request to its span, and nothing of what was asked.
func (r *request) endSpan(o Observation) {
	r.span.SetAttributes(attribute.Int("http.response.status_code", o.Status))
	if r.caller.OrgID != "" {
		r.span.SetAttributes(attribute.String("orgstats.organization_id", r.caller.OrgID))
	}
	if o.Costs.Cache != "" {
		r.span.SetAttributes(attribute.String("orgstats.cache", o.Costs.Cache), attribute.String("orgstats.filter", o.Costs.Filter))
	}
	if o.Status >= fasthttp.StatusInternalServerError {
		r.span.SetStatus(codes.Error, "")
	}
	r.span.End()
}

// headerCarrier lets the propagator read a request's headers.
type headerCarrier struct{ header *fasthttp.RequestHeader }

func (c headerCarrier) Get(name string) string { return string(c.header.Peek(name)) }

func (c headerCarrier) Set(string, string) {}

func (c headerCarrier) Keys() []string { return nil }

// logRequest writes the request's line. It never holds the token, the query or what the query says.
func (s *Service) logRequest(r *request, o Observation) {
	attrs := []slog.Attr{
		slog.String("request_id", r.id),
		slog.String("client", r.client.String()),
		slog.String("method", shorten(r.method)),
		slog.String("path", shorten(r.path)),
		slog.Int("status", o.Status),
		slog.Duration("duration", o.Took),
		slog.String("org_id", r.caller.OrgID),
		slog.String("user_id", r.caller.UserID),
	}
	if r.path == readyPath {
		attrs = append(attrs, slog.String("version", s.config.Build.Version), slog.String("commit", s.config.Build.Commit))
	}
	attrs = append(attrs, costAttrs(o)...)
	if span := r.span.SpanContext(); span.IsSampled() {
		attrs = append(attrs, slog.String("trace_id", span.TraceID().String()))
	}
	if r.failure != nil && r.failure.cause != nil {
		attrs = append(attrs, slog.String("error", clickhouse.Redact(r.failure.cause)))
	}
	s.log.LogAttrs(s.base, levelOf(r, o), "request", attrs...)
}

// costAttrs returns what the answer took, and why there was none.
func costAttrs(o Observation) (attrs []slog.Attr) {
	if o.Costs.Cache != "" {
		attrs = append(attrs, slog.String("cache", o.Costs.Cache), slog.String("filter", o.Costs.Filter))
	}
	if o.Costs.Statements > 0 {
		attrs = append(attrs, slog.Int("statements", o.Costs.Statements), slog.Uint64("rows_read", o.Costs.Rows))
	}
	if o.Costs.Waited >= time.Millisecond {
		attrs = append(attrs, slog.Duration("waited", o.Costs.Waited))
	}
	if o.TokenRefused != "" {
		attrs = append(attrs, slog.String("reason", string(o.TokenRefused)))
	}
	return attrs
}

// levelOf returns the level of a request's line. A request that was shed or rate-limited is no error of the service,
// and would fill the log just when it is overloaded. Nor is what could not be read as a request.
func levelOf(r *request, o Observation) slog.Level {
	switch {
	case o.Shed != "" || o.RateLimited != "" || o.Route == RouteInvalid:
		return slog.LevelInfo
	case o.Status >= fasthttp.StatusInternalServerError && r.failure != nil && r.failure.cause != nil:
		return slog.LevelError
	case r.probe:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}
