package metrics

import (
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

// Build shows which program runs, as the labels of a constant.
func (m *Metrics) Build(b service.Build) {
	m.Register(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "build_info", Help: "1, with the version of the program, its commit, its toolchain and its engine.",
		ConstLabels: prometheus.Labels{"version": b.Version, "commit": b.Commit, "toolchain": b.Toolchain, "engine": b.Engine},
	}, func() float64 { return 1 }))
}

// Pool shows a pool of connections to ClickHouse.
func (m *Metrics) Pool(conn clickhouse.Conn) {
	m.Gauge("clickhouse_connections_in_use", "Connections to ClickHouse that statements run on.",
		func() float64 { return float64(conn.Stats().Open) })
	m.Gauge("clickhouse_connections_idle", "Connections to ClickHouse that are kept open for the next statement.",
		func() float64 { return float64(conn.Stats().Idle) })
	m.Gauge("clickhouse_connections_max", "Connections to ClickHouse that there may be.",
		func() float64 { return float64(conn.Stats().MaxOpenConns) })
}

// Gate shows how many questions are under way and wait.
func (m *Metrics) Gate(gate *limit.Gate) {
	m.Gauge("questions_under_way", "Questions that ClickHouse is being asked.", func() float64 {
		underWay, _ := gate.Load()
		return float64(underWay)
	})
	m.Gauge("questions_waiting", "Questions that wait for their turn.", func() float64 {
		_, waiting := gate.Load()
		return float64(waiting)
	})
	m.Gauge("questions_under_way_max", "Questions that ClickHouse may be asked at once; 0: any number.",
		func() float64 { return float64(gate.Options().UnderWay) })
	m.Gauge("questions_waiting_max", "Questions that may wait.", func() float64 { return float64(gate.Options().Waiting) })
}

// Memory shows what is in memory to answer from.
func (m *Metrics) Memory(store *stats.Store) {
	m.Gauge("memory_bytes", "Bytes of buckets and records in memory, about.", func() float64 { return float64(store.Memory().Bytes) })
	m.Gauge("memory_bytes_max", "Bytes of buckets and records that there may be.", func() float64 { return float64(store.Memory().Limit) })
	m.Gauge("memory_buckets", "Buckets in memory, and intervals whose records are there one by one.",
		func() float64 { return float64(store.Memory().Buckets) })
	m.Gauge("memory_organizations", "Organizations of which something is in memory.",
		func() float64 { return float64(store.Memory().Organizations) })
	m.Counter("memory_evictions_total", "What was evicted from memory to make room for something else.",
		func() float64 { return float64(store.Memory().Evicted) })
	m.Counter("fetches_total", "Times that something was fetched from ClickHouse for an answer.",
		func() float64 { return float64(store.Fetches()) })
	m.Gauge("changes_age_seconds", "Time since the log of changes was read; it is read when somebody asks.",
		func() float64 { return store.ChangesAge().Seconds() })
}

// Connections shows the connections of clients.
func (m *Metrics) Connections(s *service.Service) {
	m.Gauge("http_connections", "Connections of clients that are open.", func() float64 {
		open, _ := s.Connections()
		return float64(open)
	})
	m.Counter("http_connections_refused_total", "Connections that were refused because too many were open.", func() float64 {
		_, refused := s.Connections()
		return float64(refused)
	})
}

// Keys shows how old the signing keys are.
func (m *Metrics) Keys(verifier *auth.Verifier) {
	m.Gauge("signing_keys_age_seconds",
		"Time since the key set was last fetched; 0 for a key from the configuration, infinite where none was ever fetched.",
		func() float64 {
			fetched, followed := verifier.Fetched()
			switch {
			case !followed:
				return 0
			case fetched.IsZero():
				return math.Inf(1)
			}
			return time.Since(fetched).Seconds()
		})
}

// Engine shows whether the embedded engine runs.
func (m *Metrics) Engine(keeper *engine.Keeper) {
	m.Gauge("engine_up", "1: the embedded ClickHouse runs; 0: it has ended, and is being started again.", func() float64 {
		if _, down := keeper.State(); down != nil {
			return 0
		}
		return 1
	})
	m.Counter("engine_restarts_total", "Times that the embedded ClickHouse has ended by itself and was started again.", func() float64 {
		restarts, _ := keeper.State()
		return float64(restarts)
	})
}
