package e2e

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

// compareAll pauses the writers, lets the replicator catch up and compares the answers to random questions.
func (r *replication) compareAll(w *writers, questions int) {
	r.Helper()
	w.stop()
	r.source.Exec(mend)
	r.catchUp()
	s := r.serve()
	g := newGenerator(uint64(questions))
	g.made = w.workers[0].made
	s.compareRandom(&sourceOracle{r.source.Connect()}, g, questions)
	r.verify()
	if n := r.rejects(); n > 0 {
		r.Errorf("%d rows are rejected after all were mended", n)
	}
	s.signal(syscall.SIGTERM)
	s.wait()
	if r.Failed() {
		r.FailNow()
	}
}

// stopsWith waits until the replicator ends, which must be with a failure, and checks that it prints the words.
func (r *replication) stopsWith(reason string, words ...string) {
	r.Helper()
	o := r.replicator.wait()
	if o.status != cli.ExitFailed {
		r.Errorf("%s: status %d, want %d: %s", reason, o.status, cli.ExitFailed, o.stderr)
	}
	for _, word := range words {
		if !strings.Contains(o.stderr, word) {
			r.Errorf("%s: no word of %q in %q", reason, word, r.replicator.stderr.lastWords())
		}
	}
}

// resync starts the replicator such that it copies tables again, and waits until it has copied the messages.
func (r *replication) resync(tables string) {
	r.Helper()
	r.arguments = []string{"--resync", tables}
	r.follow()
	r.arguments = nil
	r.replicator.awaitText(&r.replicator.stderr, `msg=copied table=public.message`)
}

// stop ends the replicator as a service manager does.
func (r *replication) stop() {
	r.Helper()
	r.replicator.signal(syscall.SIGTERM)
	if o := r.replicator.wait(); o.status != cli.ExitOK {
		r.Errorf("stopped: status %d: %s", o.status, o.stderr)
	}
}

// Connections are cut after a number of bytes, wherever in a message that is.
func TestConnectionsAreCutInTheMiddle(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	p := newProxy(t, r.source.URL())
	var cutting atomic.Bool
	rng := rand.New(rand.NewPCG(1, 1))
	p.budget = func() int {
		if !cutting.Load() {
			return -1
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		return 500 + rng.IntN(100_000)
	}
	r.env = []string{"ORGSTATS_SOURCE_URL=" + p.url}
	w := newWriters(r.source, t, 1, 2, 300)
	w.fill(500)
	r.follow()
	r.catchUp()
	w.start()
	cutting.Store(true)
	p.set(refuses) // those that are open
	p.set(passes)
	const cuts = 15
	if !enginetest.Within(longPatience, func() bool { return p.cuts.Load() >= cuts }) {
		t.Errorf("of %d connections only %d were cut", cuts, p.cuts.Load())
	}
	if !r.replicator.running() {
		t.Errorf("the replicator ended: %s", r.replicator.stderr.lastWords())
	}
	cutting.Store(false)
	r.compareAll(w, 45)
}

// A source that sends nothing anymore is detected, and the connection is replaced.
func TestAnIdleSlotHoldsNoLog(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	r.follow()
	r.catchUp()
	r.source.Exec("CREATE TABLE other AS SELECT n, repeat('x', 500) FROM generate_series(1, 20000) AS n")
	r.catchUp() // although no replicated rows change
	if !r.replicator.running() {
		t.Error("the replicator ended")
	}
}

func TestADroppedSlotIsSaidAndMended(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	w := newWriters(r.source, t, 2, 1, 300)
	w.fill(400)
	r.follow()
	r.catchUp()
	r.stop()
	r.source.Exec("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")
	w.fill(400) // changes, including deletes, that a new slot does not know about
	r.follow()
	r.stopsWith("the slot was dropped", "slot", "--resync all")
	r.resync("all")
	r.compareAll(w, 45)
}

func TestAPromotedStandbyIsSaidAndMended(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	w := newWriters(r.source, t, 3, 1, 300)
	w.fill(400)
	r.follow()
	r.catchUp()
	standby := r.source.Standby()
	w.fill(100)
	standby.Promote(r.source)
	r.stop()
	r.source, w.source = standby, standby
	r.env = []string{"ORGSTATS_SOURCE_URL=" + standby.URL()}
	w.fill(400)
	r.follow()
	r.stopsWith("another server took over", "--resync all")
	r.resync("all")
	r.compareAll(w, 45)
}

// One table is copied again while the others are followed: rows that were missing appear, rows that were deleted
// meanwhile disappear.
func TestOneTableIsCopiedAgain(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	w := newWriters(r.source, t, 4, 2, 300)
	w.fill(800)
	r.follow()
	r.catchUp()
	var publication string
	r.ask(&publication, "SELECT pubname FROM pg_publication")
	w.start()
	r.source.Exec(fmt.Sprintf("ALTER PUBLICATION %s DROP TABLE message", publication))
	for before := w.rows.Load(); w.rows.Load() < before+500; time.Sleep(10 * time.Millisecond) {
	}
	r.source.Exec(fmt.Sprintf("ALTER PUBLICATION %s ADD TABLE message", publication))
	r.stop()
	r.resync("message")
	r.compareAll(w, 45)
}

// Columns are added and dropped while rows change. Those that the mapping does not use do not matter. One that it uses
// and that is gone stops the replicator before anything is lost, until the mapping names its successor.
func TestColumnsChange(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	w := newWriters(r.source, t, 5, 1, 300)
	w.fill(300)
	r.follow()
	r.catchUp()
	r.source.Exec("ALTER TABLE message ADD COLUMN note text DEFAULT 'none'; ALTER TABLE conversation ADD COLUMN title jsonb")
	w.fill(100)
	r.source.Exec("ALTER TABLE message DROP COLUMN note; ALTER TABLE conversation RENAME COLUMN title TO topic; ALTER TABLE knowledge_base_file ALTER COLUMN extract_input_tokens TYPE numeric")
	r.compareAll(w, 45)
	if !r.replicator.running() {
		t.Fatal("the replicator ended over columns that it does not use")
	}

	r.source.Exec(`ALTER TABLE message RENAME COLUMN feedback TO rating;
		UPDATE message SET rating = '"helpful"' WHERE id = (SELECT min(id) FROM message)`)
	r.stopsWith("a column is gone", "feedback", "message")
	o := r.run("replicate", "--print-mapping")
	if o.status != cli.ExitOK || !strings.Contains(o.stdout, "feedback") {
		t.Fatalf("status %d: %s%s", o.status, o.stdout, o.stderr)
	}
	r.write("mapping.yaml", []byte(strings.ReplaceAll(o.stdout, "feedback: feedback", "feedback: rating")))
	r.arguments = []string{"--mapping", "mapping.yaml"}
	r.follow()
	r.catchUp()
	r.source.Exec("ALTER TABLE message RENAME COLUMN rating TO feedback") // for the oracle; no change of a row follows
	r.compareAll(w, 45)
}
