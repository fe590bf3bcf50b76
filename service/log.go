package service

import (
	"log/slog"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/clickhouse"
)

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
