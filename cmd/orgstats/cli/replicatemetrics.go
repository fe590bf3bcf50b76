package cli

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/orgstats/orgstats/loader/postgres"
)

// ReplicationRegistry returns the metrics of a replication.
func ReplicationRegistry(monitor *postgres.Monitor) *prometheus.Registry {
	delay := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "orgstats_replication_delay_seconds", Help: "Time from the commit of a batch's first change until it counts in every figure.",
		Buckets: prometheus.ExponentialBuckets(0.05, 2, 14),
	})
	monitor.Delay = func(d time.Duration) { delay.Observe(d.Seconds()) }
	registry := prometheus.NewRegistry()
	registry.MustRegister(delay, &replicationCollector{monitor})
	return registry
}

// replicationCollector collects the state of a replication at one moment as metrics.
type replicationCollector struct{ monitor *postgres.Monitor }

var (
	followingMetric = replicationMetric("following", "1 while PostgreSQL is connected and followed.")
	waitingMetric   = replicationMetric("waiting_for", "1 while this is waited for.", "what")
	lagBytesMetric  = replicationMetric("lag_bytes", "Bytes of PostgreSQL's log that are not confirmed yet.")
	lagMetric       = replicationMetric("lag_seconds", "Time since the commit of the oldest change that is known and not written yet.")
	retainedMetric  = replicationMetric("retained_wal_bytes", "WAL that PostgreSQL keeps for the slot.")
	batchesMetric   = replicationMetric("batches_total", "Batches written by this process.")
	changesMetric   = replicationMetric("changes_total", "Changes written by this process.")
	RowsMetric      = replicationMetric("rows_total", "Rows by table and what happened to them, of all processes.", "table", "kind")
	rejectedMetric  = replicationMetric("rejected_rows", "Rows whose last version is no record.")
	messagesMetric  = replicationMetric("waiting_messages", "Messages whose conversation is not known.")
	CopyingMetric   = replicationMetric("copying", "1 while a table is being copied.", "table")
)

func replicationMetric(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("orgstats_replication_"+name, help, labels, nil)
}

func (c *replicationCollector) Describe(descriptions chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, descriptions)
}

func (c *replicationCollector) Collect(metrics chan<- prometheus.Metric) {
	s := c.monitor.Status()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge(followingMetric, truth(s.Following))
	for _, what := range []string{"PostgreSQL", "ClickHouse"} {
		gauge(waitingMetric, truth(s.Waiting == what), what)
	}
	gauge(lagBytesMetric, float64(s.LagBytes))
	gauge(lagMetric, s.Lag.Seconds())
	gauge(retainedMetric, float64(s.Retained))
	counter(batchesMetric, s.Batches)
	counter(changesMetric, s.Changes)
	gauge(rejectedMetric, float64(s.Rejected))
	gauge(messagesMetric, float64(s.WaitingMessages))
	for _, t := range s.Tables {
		gauge(CopyingMetric, truth(t.State != "following"), t.Name)
		counter(RowsMetric, t.Copied, t.Name, "copied")
		counter(RowsMetric, t.Inserted, t.Name, "inserted")
		counter(RowsMetric, t.Updated, t.Name, "updated")
		counter(RowsMetric, t.Deleted, t.Name, "deleted")
		counter(RowsMetric, t.Truncated, t.Name, "truncated")
		counter(RowsMetric, t.Rejected, t.Name, "rejected")
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
