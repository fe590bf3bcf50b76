package e2e

import (
	"strings"
	"testing"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

// A cell that was changed by hand is found and named by verify, and fixed by rebuild, while the service continues to
// answer exactly.
func TestVerifyFindsWhatRebuildMends(t *testing.T) {
	t.Parallel()
	c, i := readContract(t), install(t)
	i.write("all", joined(c.lines(t)))
	s := i.serve()
	c.checkLoad(t, i.run("load", "all"), true)
	i.verify()

	e := examine(s)
	if err := e.conn.Exec(t.Context(), `
INSERT INTO stats_cells SELECT * REPLACE (input_tokens + 1 AS input_tokens, version + 1 AS version)
FROM stats_cells FINAL WHERE org_id = 'org_acme' AND grain = 'hour' ORDER BY bucket LIMIT 1`); err != nil {
		t.Fatal(err)
	}
	o := i.run("verify")
	if o.status != cli.ExitFailed || !strings.Contains(o.stdout, "stats_cells: organization org_acme, hour of ") || !strings.Contains(o.stderr, "orgstats rebuild") {
		t.Errorf("status %d: %s%s", o.status, o.stdout, o.stderr)
	}
	if o := i.run("verify", "--org", "org_globex"); o.status != cli.ExitOK {
		t.Errorf("another organization: status %d: %s", o.status, o.stdout)
	}

	if o := i.run("rebuild", "--org", "org_acme"); o.status != cli.ExitOK {
		t.Fatalf("rebuild: status %d: %s", o.status, o.stderr)
	}
	i.verify()
	stop := e.watch(1)
	for range 3 {
		if o := i.run("rebuild"); o.status != cli.ExitOK {
			t.Errorf("rebuild: status %d: %s", o.status, o.stderr)
		}
	}
	if compared := stop(); compared == 0 {
		t.Error("nothing was compared during a rebuild")
	}
	i.verify()
	c.checkCases(t, s)
}

func TestExplainShowsPlanSQLAndRows(t *testing.T) {
	t.Parallel()
	c, i := readContract(t), install(t)
	i.write("all", joined(c.lines(t)))
	c.checkLoad(t, i.run("load", "all"), true)
	for _, k := range []struct {
		reason    string
		arguments []string
		status    int
		says      []string
	}{
		{"cells and messages", nil, cli.ExitOK, []string{"messages: month buckets (fetched):", "messages: one by one (fetched):", "FROM stats_cells FINAL", "first_1 = ", "rows read in all", "from memory", "messageCount"}},
		{"one user", []string{"--user-id", "user_025"}, cli.ExitOK, []string{"messages: day buckets (fetched):", "FROM user_activity FINAL", "FROM users"}},
		{"a series", []string{"--interval", "month", "--time-zone", "Asia/Kathmandu"}, cli.ExitOK, []string{"messages: hour buckets (fetched):", "2024-06-01T00:00:00+05:45"}},
		{"a breakdown", []string{"--group-by", "agent", "--limit", "1", "--compare-previous"}, cli.ExitOK, []string{"previous  total", "others"}},
		{"a time that is none", []string{"--from", "yesterday"}, cli.ExitFailed, []string{"from"}},
	} {
		o := i.run(append([]string{"explain", "--org", "org_acme", "--from", "2024-01-01T00:00:00Z", "--to", "2024-06-17T10:20:30+05:45"}, k.arguments...)...)
		if o.status != k.status {
			t.Errorf("%s: status %d: %s", k.reason, o.status, o.stderr)
		}
		for _, text := range k.says {
			if !strings.Contains(o.stdout+o.stderr, text) {
				t.Errorf("%s: no word of %q in %s%s", k.reason, text, o.stdout, o.stderr)
			}
		}
	}
}
