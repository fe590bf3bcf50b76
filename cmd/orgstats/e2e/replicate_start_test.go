package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

// Neither ClickHouse nor PostgreSQL is there when the replicator starts. It logs what it waits for, and continues as
// each becomes available.
func TestReplicateWaitsForBothAtItsStart(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	w := newWriters(r.source, t, 7, 1, 300)
	w.fill(100)
	p := newProxy(t, r.engine().URL())
	p.set(refuses)
	r.source.Stop()
	r.arguments = []string{"--clickhouse-url", p.url, "--metrics-listen", "127.0.0.1:0"}
	r.follow()
	address := r.replicator.awaitText(&r.replicator.stderr, `serving metrics.*address"?[=:]"?([0-9.:]+)`)
	awaits := func(what, said string) {
		t.Helper()
		r.replicator.awaitText(&r.replicator.stderr, said)
		if !enginetest.Eventually(func() bool {
			return strings.Contains(replicationMetrics(t, address), fmt.Sprintf("orgstats_replication_waiting_for{what=%q} 1", what))
		}) {
			t.Errorf("the metrics do not say that %s is waited for", what)
		}
	}
	awaits("ClickHouse", "cannot write to ClickHouse; trying again")
	p.set(hangs) // it accepts connections, and does not answer yet
	awaits("ClickHouse", "cannot write to ClickHouse; trying again")
	p.set(passes)
	awaits("PostgreSQL", "cannot follow PostgreSQL; trying again")
	r.source.Start()
	r.compareAll(w, 20)
	if !r.replicator.running() {
		t.Error("the replicator ended")
	}
	r.stop()
}

func TestReplicateCanBeStoppedWhileItWaits(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.env = []string{"ORGSTATS_SOURCE_URL=postgres://127.0.0.1:1/nowhere"}
	p := i.start("replicate", "--clickhouse-url", "clickhouse://127.0.0.1:1/orgstats")
	p.awaitText(&p.stderr, "cannot write to ClickHouse; trying again")
	p.signal(syscall.SIGTERM)
	if o := p.wait(); o.status != cli.ExitOK {
		t.Errorf("status %d: %s", o.status, o.stderr)
	}
	o := i.run("replicate", "--clickhouse-url", "clickhouse://127.0.0.1:1/orgstats", "--patience", "1s")
	if o.status != cli.ExitFailed || !strings.Contains(o.stderr, "changes could not be written to ClickHouse for 1s") {
		t.Errorf("at the end of its patience: status %d: %s", o.status, o.stderr)
	}
}

// Every connection to ClickHouse is cut at some point of a replicator's start: while it migrates the schema, takes the
// claim, and repairs what its predecessor left.
func TestReplicateStartsThroughCuts(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	seed := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("ORGSTATS_TEST_SEED=%d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	w := newWriters(r.source, t, seed, 1, 300)
	w.fill(200)
	p := newProxy(t, r.engine().URL())
	const cuts = 5 // after each the replicator waits twice as long
	p.budget = func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.cuts.Load() >= cuts {
			return -1
		}
		return 100 + rng.IntN(1<<(8+rng.IntN(6)))
	}
	r.arguments = []string{"--clickhouse-url", p.url}
	r.follow()
	r.catchUp()
	if p.cuts.Load() < cuts {
		t.Errorf("of %d connections only %d were cut", cuts, p.cuts.Load())
	}
	r.stop()
	w.fill(100)
	p.cuts.Store(cuts) // no more for now
	r.followUntil("INSERT INTO messages", r.arguments...)
	p.cuts.Store(0)
	r.follow()
	r.compareAll(w, 20)
	if !r.replicator.running() {
		t.Error("the replicator ended")
	}
}

// The engine is killed while the replicator starts: while the engine itself starts, while the schema is migrated, and
// right after a statement with which the replicator repairs what its predecessor left.
func TestEngineKilledWhileReplicateStarts(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	w := newWriters(r.source, t, 8, 1, 300)
	w.fill(100)
	r.follow()
	for n := range 5 {
		if !enginetest.Eventually(func() bool { return killEngines(r.data()) > 0 }) {
			t.Fatal("the engine does not come again")
		}
		time.Sleep(time.Duration(n) * 150 * time.Millisecond) // so that each kill hits a later moment
	}
	r.catchUp()
	if !r.replicator.running() {
		t.Fatal("the replicator ended")
	}
	r.stop()
	for n := 1; n <= 3; n++ {
		w.fill(50)
		r.followUntil("INSERT INTO messages", r.arguments...)
		r.env = append(r.env, fmt.Sprintf("%s=%d INSERT", writesVariable, n), engineVariable+"="+r.data())
		r.follow()
		r.env = r.env[:len(r.env)-2]
		r.replicator.awaitText(&r.replicator.stderr, "killed after: ")
		r.catchUp()
		if !r.replicator.running() {
			t.Fatal("the replicator ended")
		}
		r.stop()
	}
	r.follow()
	r.compareAll(w, 20)
}

// A pipe can be read once.
func TestTheMappingMayComeThroughAPipe(t *testing.T) {
	t.Parallel()
	i := install(t)
	text := strings.ReplaceAll(i.run("replicate", "--print-mapping").stdout, "feedback: feedback", "feedback: rating")
	o := i.runWith([]byte(text), "replicate", "--mapping", "/dev/stdin", "--print-mapping")
	if o.status != cli.ExitOK || o.stdout != text || !strings.Contains(text, "rating") {
		t.Errorf("status %d: %s%s", o.status, o.stdout, o.stderr)
	}
}

// Mistakes that waiting does not fix are refused at once.
func TestMistakesAtTheStartOfReplicateAreRefused(t *testing.T) {
	t.Parallel()
	i := install(t)
	e := i.engine()
	i.env = []string{"ORGSTATS_SOURCE_URL=postgres://127.0.0.1:1/nowhere"}
	i.expectVersion(0, "version")
	if o := i.migrate("up"); o.status != cli.ExitOK {
		t.Fatal(o.stderr)
	}
	claim, err := clickhouse.TakeClaim(t.Context(), e.URL(), "loader", "somebody else")
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	owner := e.Owner()
	for _, c := range []struct{ reason, url, word string }{
		{"another writes", "", "somebody else"},
		{"the password is wrong", fmt.Sprintf("clickhouse://%s:wrong@%s/orgstats", owner.User, owner.Address()), "Authentication failed"},
		{"the database is not there", strings.Replace(e.URL(), "/orgstats", "/nowhere", 1), "nowhere"},
	} {
		began := time.Now()
		o := i.run("replicate", "--clickhouse-url", c.url)
		if o.status != cli.ExitFailed || !strings.Contains(o.stderr, c.word) || strings.Contains(o.stderr, "trying again") {
			t.Errorf("%s: status %d after %s: %s", c.reason, o.status, time.Since(began), o.stderr)
		}
	}
}
