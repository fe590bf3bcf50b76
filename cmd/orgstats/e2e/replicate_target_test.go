package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// ClickHouse fails in every way for a while: the replicator survives, and then continues.
func TestFailuresOfClickHouseAreOutlived(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	e := r.engine()
	p := newProxy(t, e.URL())
	conn, err := clickhouse.Open(t.Context(), e.URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	run := func(statement string) func() {
		return func() {
			if err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	w := newWriters(r.source, t, 6, 2, 300)
	w.fill(400)
	r.arguments = []string{"--clickhouse-url", p.url}
	r.follow()
	r.catchUp()
	for _, c := range []struct {
		reason     string
		begin, end func()
		says       bool // an error is returned at once
	}{
		{"read-only", run("ALTER TABLE messages MODIFY SETTING table_readonly = 1"), run("ALTER TABLE messages RESET SETTING table_readonly"), true},
		{
			"full", run("ALTER TABLE messages MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000000"),
			run("ALTER TABLE messages RESET SETTING min_free_disk_bytes_to_perform_insert"), true,
		},
		{
			"merging too slowly", run("ALTER TABLE stale_hours MODIFY SETTING parts_to_throw_insert = 1"),
			run("ALTER TABLE stale_hours RESET SETTING parts_to_throw_insert"), true,
		},
		{"gone", func() { p.set(refuses) }, func() { p.set(passes) }, true},
		{"silent", func() { p.set(hangs) }, func() { p.set(passes) }, false},
	} {
		w.start()
		said := len(r.replicator.stderr.String())
		c.begin()
		if c.says && !enginetest.Eventually(func() bool { return strings.Contains(r.replicator.stderr.String()[said:], "level=WARN") }) {
			t.Errorf("%s: the replicator says nothing of it", c.reason)
		}
		for before := w.rows.Load(); w.rows.Load() < before+600; time.Sleep(10 * time.Millisecond) {
		}
		if position := r.position(); r.caughtUp(position) {
			t.Errorf("%s: the replicator confirms what it can't have written", c.reason)
		}
		c.end()
		if !r.replicator.running() {
			t.Errorf("%s: the replicator ended: %s", c.reason, r.replicator.stderr.lastWords())
		}
		r.compareAll(w, 20)
	}
}
