package e2e

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/loader/postgres/pgtest"
)

func TestMistakesOfReplicateAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("mapping.yaml", []byte("tables: [{table: t, record: member, fields: {name: n}}]"))
	o := i.run("replicate", "--mapping", "mapping.yaml", "--slot", "My-Slot", "--batch-rows", "0", "--batch-time", "0s", "--snapshot-workers", "0",
		"--patience", "1ms", "--metrics-listen", "9090", "--publication", "")
	if o.status != cli.ExitFailed {
		t.Errorf("status %d", o.status)
	}
	for _, word := range []string{
		"ORGSTATS_SOURCE_URL", "--slot", "--batch-rows", "--batch-time", "--snapshot-workers", "--patience", "--metrics-listen", "--publication",
		`no field "name"`, "needs the field userId",
	} {
		if !strings.Contains(o.stderr, word) {
			t.Errorf("nothing is said of %q: %s", word, o.stderr)
		}
	}
	i.env = []string{"ORGSTATS_SOURCE_URL=postgres://user:verysecret@:x/"}
	if o := i.run("replicate"); o.status != cli.ExitFailed || strings.Contains(o.stderr, "verysecret") || !strings.Contains(o.stderr, "postgres://user:password@host") {
		t.Errorf("status %d: %s", o.status, o.stderr)
	}
}

// replicationMetrics returns the metrics of a replicator.
func replicationMetrics(t *testing.T, address string) string {
	t.Helper()
	response, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("status %d, %v", response.StatusCode, err)
	}
	return string(text)
}

func TestAReplicationIsSeenFromOutside(t *testing.T) {
	t.Parallel()
	source, i := pgtest.Start(t), install(t)
	i.env = []string{"ORGSTATS_SOURCE_URL=" + source.URL()}
	if o := i.run("replicate", "--check"); o.status != cli.ExitOK || !slices.Contains(strings.Split(o.stdout, "\n"), "ready to replicate") {
		t.Errorf("check: status %d: %s%s", o.status, o.stdout, o.stderr)
	}
	if o := i.run("replicate", "--status"); o.status != cli.ExitOK || !strings.Contains(o.stdout, "nothing was replicated through slot orgstats yet") {
		t.Errorf("status before: %d: %s%s", o.status, o.stdout, o.stderr)
	}
	source.Exec(`INSERT INTO conversation (id, organization_id, user_id) VALUES ('c', 'o', 'u');
		INSERT INTO message (id, conversation_id, role) SELECT 'm' || n, 'c', 'user' FROM generate_series(1, 10) AS n;
		INSERT INTO message (id, conversation_id, role) VALUES ('w', 'nowhere', 'user'), ('x', 'c', '')`)
	p := i.start("replicate", "--metrics-listen", "127.0.0.1:0", "--batch-time", "20ms")
	address := p.awaitText(&p.stderr, `serving metrics.*address"?[=:]"?([0-9.:]+)`)
	p.awaitText(&p.stderr, "all tables are copied")
	source.Exec("DELETE FROM message WHERE id = 'm1'; UPDATE message SET feedback = '\"helpful\"'")
	want := []string{
		`orgstats_replication_rows_total{kind="copied",table="public.message"} 12`, `orgstats_replication_rows_total{kind="deleted",table="public.message"} 1`,
		`orgstats_replication_rows_total{kind="updated",table="public.message"} 11`, `orgstats_replication_rejected_rows 1`,
		`orgstats_replication_following 1`, `orgstats_replication_waiting_for{what="ClickHouse"} 0`, `orgstats_replication_lag_seconds 0`,
	}
	text := ""
	if !enginetest.Eventually(func() bool {
		text = replicationMetrics(t, address)
		for _, line := range want {
			if !strings.Contains(text, line) {
				return false
			}
		}
		return true
	}) {
		t.Errorf("metrics are not %q:\n%s", want, text)
	}
	o := i.run("replicate", "--status")
	for _, pattern := range []string{
		`slot +orgstats of cluster \d+, timeline 1`, `the slot is active`, `public\.message +message +following +12 +0 +11 +1 +0 +\d`,
		`rejected: 1 rows of public\.message: role .* \(as in "x"\)`, `waiting +1 messages`, `WAL +\d+ bytes`,
	} {
		if !regexp.MustCompile(pattern).MatchString(o.stdout) {
			t.Errorf("the status does not say %q:\n%s%s", pattern, o.stdout, o.stderr)
		}
	}
	second := i.run("replicate")
	if name := fmt.Sprint("process ", p.command.Process.Pid, " "); second.status != cli.ExitFailed || !strings.Contains(second.stderr, name) {
		t.Errorf("a second replicator: status %d, %s", second.status, second.stderr)
	}
	source.Kill()
	p.awaitText(&p.stderr, "cannot follow PostgreSQL; trying again")
	if o := i.run("replicate", "--status"); !strings.Contains(o.stdout, "cannot be queried") {
		t.Errorf("the status without PostgreSQL: %s%s", o.stdout, o.stderr)
	}
	if !strings.Contains(replicationMetrics(t, address), `orgstats_replication_waiting_for{what="PostgreSQL"} 1`) {
		t.Error("the metrics don't say what is waited for")
	}
	source.Start()
	source.Exec("INSERT INTO message (id, conversation_id, role) VALUES ('later', 'c', 'user')")
	if !enginetest.Eventually(func() bool {
		return strings.Contains(replicationMetrics(t, address), `orgstats_replication_rows_total{kind="inserted",table="public.message"} 1`)
	}) {
		t.Error("it does not go on")
	}
	if o := p.interrupted(); o.status != cli.ExitOK {
		t.Errorf("stopped: status %d: %s", o.status, o.stderr)
	}
}

// interrupted stops the program as a service manager does.
func (p *process) interrupted() outcome {
	p.Helper()
	p.signal(syscall.SIGTERM)
	return p.wait()
}
