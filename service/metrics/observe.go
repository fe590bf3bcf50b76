package metrics

import (
	"context"
	"errors"
	"strconv"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

// startAtZero makes the labels known before anything happens, so that the first event is a rise and not a beginning.
func (m *Metrics) startAtZero() {
	for _, kind := range stats.Kinds {
		m.statements.WithLabelValues(kind, outcomeOK)
		m.rowsRead.WithLabelValues(kind)
	}
	for _, result := range stats.CacheResults {
		for _, filter := range stats.FilterKinds {
			m.cache.WithLabelValues(result, filter)
		}
	}
	for _, reason := range auth.Reasons {
		m.refused.WithLabelValues(string(reason))
	}
	for _, reason := range []limit.Reason{limit.ReasonQueueFull, limit.ReasonWaited} {
		m.shed.WithLabelValues(string(reason))
	}
	for _, scope := range []limit.Scope{limit.ScopeOrganization, limit.ScopeUser} {
		m.limited.WithLabelValues(string(scope))
	}
}

// Request counts a request.
func (m *Metrics) Request(o service.Observation) {
	m.requests.WithLabelValues(o.Route, strconv.Itoa(o.Status)).Observe(o.Took.Seconds())
	if o.Costs.Cache != "" {
		m.cache.WithLabelValues(o.Costs.Cache, o.Costs.Filter).Inc()
	}
	if o.TokenRefused != "" {
		m.refused.WithLabelValues(string(o.TokenRefused)).Inc()
	}
	if o.Shed != "" {
		m.shed.WithLabelValues(string(o.Shed)).Inc()
	}
	if o.RateLimited != "" {
		m.limited.WithLabelValues(string(o.RateLimited)).Inc()
	}
}

// Statement counts a statement on ClickHouse.
func (m *Metrics) Statement(o clickhouse.Observation) {
	m.statements.WithLabelValues(o.Name, outcome(o.Err)).Observe(o.Took.Seconds())
	m.rowsRead.WithLabelValues(o.Name).Add(float64(o.Rows))
}

// Outcomes of statements.
const (
	outcomeOK          = "ok"
	outcomeCanceled    = "canceled" // nobody waited for it any more
	outcomeTimeout     = "timeout"
	outcomeUnavailable = "unavailable"
	outcomeError       = "error"
)

func outcome(err error) string {
	switch {
	case err == nil:
		return outcomeOK
	case errors.Is(err, context.Canceled):
		return outcomeCanceled
	case clickhouse.IsTimeout(err):
		return outcomeTimeout
	case clickhouse.IsUnavailable(err):
		return outcomeUnavailable
	}
	return outcomeError
}
