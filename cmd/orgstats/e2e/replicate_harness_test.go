package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/postgres/pgtest"
)

// longPatience is for what has much to catch up with on a busy machine.
const longPatience = 5 * patience

// replication is an installation that replicates a source.
type replication struct {
	*installation
	source     *pgtest.Cluster
	arguments  []string // of replicate
	replicator *process // nil before the first start
}

// replicates makes a source and an installation, and starts no replicator. Settings are PostgreSQL's.
func replicates(t *testing.T, settings ...string) *replication {
	t.Helper()
	source := pgtest.Start(t, settings...)
	r := &replication{installation: install(t), source: source} // what runs there ends before the source does
	r.env = []string{"ORGSTATS_SOURCE_URL=" + source.URL()}
	return r
}

// follow starts the replicator.
func (r *replication) follow() {
	r.Helper()
	r.replicator = r.start(append([]string{"replicate"}, r.arguments...)...)
}

// position is the end of what the source has committed.
func (r *replication) position() (lsn string) {
	r.Helper()
	r.ask(&lsn, "SELECT pg_current_wal_insert_lsn()::text")
	return lsn
}

// ask asks the source for one value, on a connection of its own.
func (r *replication) ask(value any, query string, arguments ...any) {
	r.Helper()
	conn, err := pgx.Connect(r.Context(), r.source.URL())
	if err == nil {
		err = conn.QueryRow(r.Context(), query, arguments...).Scan(value)
		_ = conn.Close(context.Background())
	}
	if err != nil {
		r.Fatalf("%s: %v", query, err)
	}
}

// caughtUp tells whether all that the source has committed up to a position is confirmed, which frees its log.
func (r *replication) caughtUp(position string) (done bool) {
	r.Helper()
	r.ask(&done, `SELECT coalesce(bool_and(confirmed_flush_lsn >= $1::text::pg_lsn), false)
		FROM pg_replication_slots WHERE slot_type = 'logical' AND NOT temporary`, position)
	return done
}

// complete tells whether every table was copied.
func (r *replication) complete() bool {
	r.Helper()
	return r.tally("SELECT count() FROM replication_tables FINAL WHERE state = 'following'") == uint64(len(sourceTables))
}

// catchUp waits until the figures must be those of the source, while nobody writes. A replicator that ends is started
// again.
func (r *replication) catchUp() {
	r.Helper()
	position := r.position()
	for deadline := time.Now().Add(longPatience); !r.caughtUp(position) || !r.complete(); time.Sleep(50 * time.Millisecond) {
		if !r.replicator.running() {
			r.again()
		}
		if time.Now().After(deadline) {
			r.Fatalf("the replicator does not reach %s: %s", position, r.replicator.stderr.lastWords())
		}
	}
}

// again starts a replicator that has ended, and says what its last words were.
func (r *replication) again() {
	r.Helper()
	r.Logf("the replicator ended with status %d and is started again: %s", r.replicator.wait().status, lastLine(r.replicator.stderr.String()))
	r.follow()
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// tally asks the replicas for a number.
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

// rejects counts the rows that are no records now.
func (i *installation) rejects() uint64 {
	i.Helper()
	return i.tally("SELECT count() FROM replication_rejects FINAL")
}
