// Package metrics turns what is observed of the service into Prometheus metrics. Times are in seconds, as is usual
// there.
package metrics

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	namespace = "orgstats"

	// scrapeLimit is less than the ten seconds that Prometheus waits by default.
	scrapeLimit = 8 * time.Second
	// scrapesAtOnce is enough for two Prometheus servers and a curious person.
	scrapesAtOnce = 3
)

// latencyBuckets reach from an answer out of memory to the time limit of a request.
var latencyBuckets = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// Metrics are the metrics of one service.
type Metrics struct {
	registry   *prometheus.Registry
	requests   *prometheus.HistogramVec
	statements *prometheus.HistogramVec
	rowsRead   *prometheus.CounterVec
	cache      *prometheus.CounterVec
	refused    *prometheus.CounterVec
	shed       *prometheus.CounterVec
	limited    *prometheus.CounterVec
}

// New makes the metrics, with those of the Go runtime and the process.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.requests = m.histogram("http_request_duration_seconds", "Time from a request's head to its answer, by path and status.",
		"route", "status")
	m.statements = m.histogram("clickhouse_statement_duration_seconds",
		"Time of statements on ClickHouse, by what they read (state is what is stale of an organization, changes the log of changes, plain "+
			"everything that a question needs) and outcome.", "plan", "outcome")
	m.rowsRead = m.counter("clickhouse_rows_read_total", "Rows that ClickHouse read for statements, by what these read.", "plan")
	m.cache = m.counter("cache_requests_total",
		"Questions by what memory did for them: hit, shared (fetched once for several), miss (something was fetched); and by what filters them.", "result", "filter")
	m.refused = m.counter("tokens_refused_total", "Requests without an acceptable token, by reason.", "reason")
	m.shed = m.counter("questions_shed_total", "Questions answered with 503 because too many were under way, by reason.", "reason")
	m.limited = m.counter("rate_limited_total", "Requests answered with 429, by whose rate was exceeded.", "scope")
	m.startAtZero()
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return promauto.With(m.registry).NewHistogramVec(
		prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: latencyBuckets}, labels)
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	return promauto.With(m.registry).NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

// Register adds a metric of another part of the program.
func (m *Metrics) Register(c prometheus.Collector) { m.registry.MustRegister(c) }

// Gauge adds a metric that is asked for at each scrape.
func (m *Metrics) Gauge(name, help string, ask func() float64) {
	m.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help}, ask))
}

// Counter adds a metric that only grows and is asked for at each scrape.
func (m *Metrics) Counter(name, help string, ask func() float64) {
	m.Register(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, ask))
}

// Handler answers scrapes.
func (m *Metrics) Handler(log *slog.Logger) http.Handler { return Handler(m.registry, log) }

// Handler answers scrapes of a registry.
func Handler(registry *prometheus.Registry, log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(log.Handler(), slog.LevelError),
		ErrorHandling:       promhttp.ContinueOnError,
		MaxRequestsInFlight: scrapesAtOnce,
		Timeout:             scrapeLimit,
	})
}
