package postgres

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/loader/postgres/example"
	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/postgres/pgtest"
	"github.com/orgstats/orgstats/schema/schematest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// installation is a source and a ClickHouse, between which a replication may run.
type installation struct {
	*testing.T
	source  *pgtest.Cluster
	conn    clickhouse.Conn
	options Options
	log     *journal
	stop    context.CancelFunc
	ended   chan error // gets what Run returns
}

// install makes a source and a ClickHouse. The mapping is that of the platform's tables, unless there is another text.
func install(t *testing.T, mappingText string, settings ...string) *installation {
	t.Helper()
	source := pgtest.Start(t, settings...)
	url, conn := schematest.Database(t)
	i := &installation{T: t, source: source, conn: conn, log: &journal{}}
	i.options = Options{
		URL: source.URL(), Mapping: mapping.Default(), Slot: "orgstats", Publication: "orgstats",
		ClickHouse: func(context.Context) (string, error) { return url, nil },
		BatchRows:  1000, BatchTime: 20 * time.Millisecond, SnapshotWorkers: 2, Patience: enginetest.Patience,
		Log: slog.New(slog.NewTextHandler(i.log, nil)), Monitor: &Monitor{}, watchInterval: 300 * time.Millisecond,
	}
	if mappingText != "" {
		read, err := mapping.Parse("mapping.yaml", []byte(mappingText))
		if err != nil {
			t.Fatal(err)
		}
		i.options.Mapping = read
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the replication said:\n%s", i.log.String())
		}
	})
	return i
}

// use makes another database of the platform's tables the source.
func (i *installation) use(database string) {
	i.Helper()
	i.source.ExecIn("postgres", "CREATE DATABASE "+database)
	i.source.ExecIn(database, example.Schema)
	i.options.URL = strings.Replace(i.source.URL(), "/orgstats?", "/"+database+"?", 1)
}

// follow starts the replication.
func (i *installation) follow() {
	ctx, stop := context.WithCancel(context.Background())
	i.stop, i.ended = stop, make(chan error, 1)
	ended := i.ended
	go func() { ended <- Run(ctx, i.options) }()
	i.Cleanup(stop)
}

// end stops the replication and waits for its end.
func (i *installation) end() {
	i.Helper()
	i.stop()
	if err := i.wait(); err != nil {
		i.Fatal(err)
	}
}

// wait waits for the replication's end.
func (i *installation) wait() error {
	i.Helper()
	select {
	case err := <-i.ended:
		return err
	case <-time.After(enginetest.Patience):
		i.Fatal("the replication does not end")
		return nil
	}
}

// catchUp waits until everything that was committed counts.
func (i *installation) catchUp() {
	i.Helper()
	var position uint64
	if err := i.source.Connect().QueryRow(i.Context(), "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint").Scan(&position); err != nil {
		i.Fatal(err)
	}
	i.source.Await("the replication catches up", func() bool {
		select {
		case err := <-i.ended:
			i.Fatalf("the replication has ended: %v", err)
		default:
		}
		return i.one("SELECT count() FROM replication_sources FINAL WHERE confirmed >= {a:UInt64}", position) == 1 &&
			i.one("SELECT countIf(state != 'following') FROM replication_tables FINAL") == 0
	})
}

// one asks ClickHouse for a number.
func (i *installation) one(query string, a ...uint64) (n uint64) {
	i.Helper()
	params := clickhouse.Params{}
	for _, v := range a {
		params.Int64("a", int64(v))
	}
	if err := i.conn.QueryRow(clickhouse.WithParams(i.Context(), params), query).Scan(&n); err != nil {
		i.Fatalf("%s: %v", query, err)
	}
	return n
}

// expect compares a number in ClickHouse.
func (i *installation) expect(reason, query string, want uint64) {
	i.Helper()
	if got := i.one(query); got != want {
		i.Errorf("%s: got %d, want %d by %s", reason, got, want, query)
	}
}

// journal is a log that can be read while it is written.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}
