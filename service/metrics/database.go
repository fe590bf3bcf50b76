package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

const (
	// databaseAge is how long what was asked of ClickHouse is shown again, however often it is scraped.
	databaseAge = 10 * time.Second

	// Limits of asking, so that looking at a database that has trouble adds little to it.
	databaseTime   = 5 * time.Second
	databaseMemory = 512 << 20
)

// databaseSQL asks what loader and replicator have left. Its last write shows in the parts of the table that it
// writes with every batch; a merge of them, which comes soon after if at all, makes that look a little later.
var databaseSQL = `
SELECT
    (SELECT count() FROM stale_hours FINAL WHERE ` + cells.IsStaleHour + `) AS stale_hours,
    (SELECT count() FROM waiting_messages)                             AS waiting_messages,
    (SELECT max(step) FROM batches)                                    AS step,
    (
        SELECT max(modification_time)
        FROM system.parts
        WHERE database = currentDatabase() AND table = 'batches' AND active
    )                                                                  AS last_write,
    (SELECT count() FROM replication_rejects FINAL)                    AS rejects,
    (SELECT max(taken_at) FROM replication_sources FINAL)              AS taken,
    (SELECT max(committed_at) FROM replication_sources FINAL)          AS committed,
    (SELECT max(caught_up_at) FROM replication_sources FINAL)          AS caught_up
SETTINGS max_threads = 1`

// left is what loader and replicator have left in the database. Times are of 1970 where there is nothing yet.
type left struct {
	staleHours, waiting, step, rejects uint64
	lastWrite, taken, committed        time.Time
	caughtUp                           time.Time
}

// database asks ClickHouse when it is scraped.
type database struct {
	conn clickhouse.Conn
	log  *slog.Logger

	mu    sync.Mutex
	asked time.Time
	left  left
	err   error
}

var (
	upDesc = describe("database_up", "1: ClickHouse answered when it was last asked what loader and replicator have left; 0: the metrics of it are missing.")

	staleDesc   = describe("stale_hours", "Hours of organizations that are read from the messages because their cells are not right yet.")
	waitingDesc = describe("waiting_messages", "Messages whose conversation is not known yet.")
	batchDesc   = describe("loader_batch", "Number of the loader's last batch.")
	openDesc    = describe("loader_batch_unfinished", "1: the last batch is being written, or was left unfinished by a loader that ended.")
	rejectsDesc = describe("replication_rejects", "Rows of replicated sources whose last version is no record.")
	takenDesc   = describe("replication_last_taken_timestamp_seconds",
		"When a replicator last noted how far it is, which it does every few seconds; 0: there was none.")
	committedDesc = describe("replication_last_commit_timestamp_seconds",
		"When the last change that was applied from a source was committed there; 0: none was.")
	caughtUpDesc = describe("replication_caught_up_timestamp_seconds",
		"Every change that a source committed before is in the replicas; 0: none was replicated completely.")
	writeDesc = describe("loader_last_write_timestamp_seconds", "When the loader last began or finished a batch; 0: it never did.")
)

func describe(name, help string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, nil, nil)
}

// Database shows what loader and replicator have left in the database. The pool should be one that is not observed.
func (m *Metrics) Database(conn clickhouse.Conn, log *slog.Logger) {
	m.Register(&database{conn: conn, log: log})
}

func (d *database) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range []*prometheus.Desc{upDesc, staleDesc, waitingDesc, batchDesc, openDesc, writeDesc, rejectsDesc, takenDesc, committedDesc, caughtUpDesc} {
		descs <- desc
	}
}

func (d *database) Collect(metrics chan<- prometheus.Metric) {
	gauge := func(desc *prometheus.Desc, value float64) {
		metrics <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, value)
	}
	now, err := d.ask()
	if err != nil {
		gauge(upDesc, 0)
		return
	}
	gauge(upDesc, 1)
	gauge(staleDesc, float64(now.staleHours))
	gauge(waitingDesc, float64(now.waiting))
	gauge(batchDesc, float64(now.step/2))
	gauge(openDesc, float64((now.step+1)%2*min(now.step, 1)))
	gauge(writeDesc, float64(now.lastWrite.Unix()))
	gauge(rejectsDesc, float64(now.rejects))
	gauge(takenDesc, float64(now.taken.UnixMilli())/1000)
	gauge(committedDesc, float64(now.committed.UnixMilli())/1000)
	gauge(caughtUpDesc, float64(now.caughtUp.UnixMilli())/1000)
}

// ask returns what was asked lately, or asks again. A failure is remembered as well, and logged when it is a new one.
func (d *database) ask() (left, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Since(d.asked) < databaseAge {
		return d.left, d.err
	}
	before := d.err
	ctx, cancel := clickhouse.WithStatement(context.Background(), clickhouse.Statement{
		Comment: "orgstats metrics", Limits: clickhouse.Limits{Time: databaseTime, Memory: databaseMemory},
	})
	defer cancel()
	d.err = d.conn.QueryRow(ctx, databaseSQL).Scan(&d.left.staleHours, &d.left.waiting, &d.left.step, &d.left.lastWrite,
		&d.left.rejects, &d.left.taken, &d.left.committed, &d.left.caughtUp)
	d.asked = time.Now()
	if d.err != nil && before == nil {
		d.log.Error("the metrics of the database can't be asked for", "error", d.err)
	}
	return d.left, d.err
}
