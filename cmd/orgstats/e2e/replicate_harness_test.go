package e2e

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/loader/postgres/pgtest"
)

// longPatience is the patience with what has much to catch up on a busy machine.
const longPatience = 2 * patience

// replication is an installation that replicates a source.
type replication struct {
	*installation
	source     *pgtest.Cluster
	arguments  []string  // of replicate
	replicator *process  // nil before the first start
	conn       *pgx.Conn // to the source; nil before the first question, and after it was lost
}

// replicates creates a source and an installation, but starts no replicator. The settings are PostgreSQL's.
func replicates(t *testing.T, settings ...string) *replication {
	t.Helper()
	source := pgtest.Start(t, settings...)
	r := &replication{installation: install(t), source: source} // its processes end before the source does
	r.env = []string{"ORGSTATS_SOURCE_URL=" + source.URL()}
	return r
}

// follow starts the replicator.
func (r *replication) follow() {
	r.Helper()
	r.replicator = r.start(append([]string{"replicate"}, r.arguments...)...)
}

// position returns the LSN up to which the source has committed.
func (r *replication) position() (lsn string) {
	r.Helper()
	r.ask(&lsn, "SELECT pg_current_wal_insert_lsn()::text")
	return lsn
}

// ask queries one value from the source. The source may have been killed since the last question.
func (r *replication) ask(value any, query string, arguments ...any) {
	r.Helper()
	if r.conn == nil || r.conn.Ping(r.Context()) != nil {
		r.conn = r.source.Connect()
	}
	if err := r.conn.QueryRow(r.Context(), query, arguments...).Scan(value); err != nil {
		r.Fatalf("%s: %v", query, err)
	}
}

// caughtUp reports whether everything that the source has committed up to a position is confirmed, which frees its WAL.
func (r *replication) caughtUp(position string) (done bool) {
	r.Helper()
	r.ask(&done, `SELECT coalesce(bool_and(confirmed_flush_lsn >= $1::text::pg_lsn), false)
		FROM pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary`, position)
	return done
}

// complete reports whether every table was copied.
func (r *replication) complete() bool {
	r.Helper()
	return r.tally("SELECT count() FROM replication_tables FINAL WHERE state = 'following'") == uint64(len(sourceTables))
}

// catchUp waits, while nobody writes, until the figures must equal the source's. A replicator that ends is restarted.
func (r *replication) catchUp() {
	r.Helper()
	position := r.position()
	if !enginetest.Within(longPatience, func() bool {
		if !r.replicator.running() {
			r.again()
		}
		return r.caughtUp(position) && r.complete()
	}) {
		r.Fatalf("the replicator does not reach %s: %s", position, r.replicator.stderr.lastWords())
	}
}

// again restarts a replicator that has ended, and logs its last line.
func (r *replication) again() {
	r.Helper()
	r.Logf("the replicator ended with status %d and is started again: %s", r.replicator.wait().status, lastLine(r.replicator.stderr.String()))
	r.follow()
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// tally queries a number from the replicas.
func (i *installation) tally(query string) (n uint64) {
	i.Helper()
	e := i.engine()
	conn, err := clickhouse.Open(i.Context(), e.URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		i.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.QueryRow(i.Context(), query).Scan(&n); err != nil {
		i.Fatalf("%s: %v", query, err)
	}
	if err := e.Close(); err != nil {
		i.Fatal(err)
	}
	return n
}

// rejects returns the number of rows that are currently no records.
func (i *installation) rejects() uint64 {
	i.Helper()
	return i.tally("SELECT count() FROM replication_rejects FINAL")
}
