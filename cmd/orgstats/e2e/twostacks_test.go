package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

// Two stacks replicate one source, each by its own slot. One that falls behind is not ready, so that a load balancer
// leaves it out; and what both answer has the same tag exactly if it is the same.
func TestTwoStacks(t *testing.T) {
	t.Parallel()
	first := replicates(t)
	second := &replication{installation: install(t), source: first.source, arguments: []string{"--slot", "orgstats_b"}}
	second.env = first.env
	first.source.Exec(`INSERT INTO conversation (id, organization_id, user_id) VALUES ('c1', 'org_1', 'user_1');
		INSERT INTO message (id, conversation_id, role) VALUES ('m1', 'c1', 'user')`)
	admin := auth.Caller{OrgID: "org_1", UserID: "user_1", Role: "org:admin"}
	bounded := append([]string{"--max-lag=30s"}, unlimited...)
	a, b := first.serveWith(bounded...), second.serveWith(bounded...)
	b.expectLagging()
	first.follow()
	first.catchUp() // which makes the publication
	second.follow()
	second.catchUp()
	a.awaitReady(http.StatusOK)
	b.awaitReady(http.StatusOK)

	tag := a.ask(a.token(admin), always()).header.Get("ETag")
	if got := b.ask(b.token(admin), always()); got.header.Get("ETag") != tag || a.figures(admin, always()).MessageCount != 1 {
		t.Errorf("the tags of the same figures are %s and %s", tag, got.header.Get("ETag"))
	}
	second.unfollow()
	b.expectLagging()
	a.awaitReady(http.StatusOK)
	first.source.Exec("INSERT INTO message (id, conversation_id, role) VALUES ('m2', 'c1', 'user')")
	if !enginetest.Within(longPatience, func() bool { return a.figures(admin, always()).MessageCount == 2 }) {
		t.Error("the stack that is left does not follow the source")
	}
	if fresh := a.ask(a.token(admin), always()).header.Get("ETag"); fresh == tag || b.ask(b.token(admin), always()).header.Get("ETag") != tag {
		t.Errorf("other figures have the tag %s, as before", fresh)
	}
	second.follow()
	b.awaitReady(http.StatusOK)
	if got := b.figures(admin, always()); got.MessageCount != 2 {
		t.Errorf("the stack that is ready again counts %d messages, want 2", got.MessageCount)
	}
	first.bringBack(admin)
}

// unfollow stops the replicator.
func (r *replication) unfollow() {
	r.Helper()
	r.replicator.signal(syscall.SIGTERM)
	if o := r.replicator.wait(); o.status != cli.ExitOK {
		r.Errorf("the replicator ended with status %d: %s", o.status, o.stderr)
	}
}

// bringBack makes another stack of the backup of this one, as docs/availability.md has it.
func (r *replication) bringBack(admin auth.Caller) {
	r.Helper()
	r.unfollow()
	if o := r.run("backup", "backup.tar"); o.status != cli.ExitOK {
		r.Fatalf("status %d: %s", o.status, o.stderr)
	}
	r.follow()
	r.source.Exec("DELETE FROM message WHERE id = 'm1'; INSERT INTO message (id, conversation_id, role) SELECT 'n' || n, 'c1', 'user' FROM generate_series(1, 5) AS n")
	third := &replication{installation: install(r.T), source: r.source, arguments: []string{"--slot", "orgstats_c"}}
	third.env = r.env
	if o := third.run("restore", r.path("backup.tar")); o.status != cli.ExitOK {
		r.Fatalf("status %d: %s", o.status, o.stderr)
	}
	s := third.serveWith(append([]string{"--max-lag=30s"}, unlimited...)...)
	if got := s.figures(admin, always()); got.MessageCount != 2 {
		r.Errorf("the restored stack counts %d messages, want the backup's 2", got.MessageCount)
	}
	third.follow()
	if !enginetest.Within(longPatience, func() bool { return s.figures(admin, always()).MessageCount == 6 }) {
		r.Errorf("the restored stack counts %d messages, want 6", s.figures(admin, always()).MessageCount)
	}
	s.awaitReady(http.StatusOK)
}

// expectLagging waits until the service is not ready because its stack lags.
func (s *server) expectLagging() {
	s.Helper()
	if body := s.awaitReady(http.StatusServiceUnavailable); !strings.Contains(body, "Not ready: replication") {
		s.Errorf("the service of a stack that lags says %s", body)
	}
}

func TestLeastMaxLag(t *testing.T) {
	t.Parallel()
	if o := install(t).run("serve", "--dev-auth", "--max-lag", "5s"); o.status != cli.ExitFailed || !strings.Contains(o.stderr, "--max-lag (ORGSTATS_MAX_LAG) is 5s; give 30s or more") {
		t.Errorf("status %d: %s", o.status, o.stderr)
	}
}
