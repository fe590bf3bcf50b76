package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/loader/postgres/example"
	"github.com/orgstats/orgstats/service/auth"
)

// The example of docs/replication.md works: its rows are replicated, and an insert shows in the answer soon after.
func TestTheExampleIsFollowed(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	r.source.Exec(example.Rows)
	r.follow()
	r.catchUp()
	s, caller := r.serve(), auth.Caller{OrgID: "org_1", UserID: "user_1", Role: "org:admin"}
	before := s.compare(&sourceOracle{r.source.Connect()}, caller, always())
	for name, figure := range before {
		if figure == 0 && name != "totalNotHelpful" {
			t.Errorf("the example has nothing for %s", name)
		}
	}
	r.source.Exec(`INSERT INTO message (id, conversation_id, role) VALUES ('new', 'conversation_1', 'user')`)
	begun := time.Now()
	if !enginetest.Eventually(func() bool { return s.figures(caller, always()).MessageCount == uint64(before["messageCount"])+1 }) {
		t.Fatal("the insert does not show")
	}
	t.Logf("the insert showed after %v", time.Since(begun))
}

// The log must not contain the source's password, with which its readers could connect.
func TestTheSourcesPasswordIsNeverPrinted(t *testing.T) {
	t.Parallel()
	r := replicates(t)
	r.follow()
	r.catchUp()
	said := r.replicator.stdout.String() + r.replicator.stderr.String()
	r.source.Kill() // so that failures are logged, too
	for _, arguments := range [][]string{{"replicate", "--check"}, {"replicate", "--status"}, {"replicate", "--help"}, {"replicate", "--wrong"}} {
		o := r.run(arguments...)
		said += o.stdout + o.stderr
	}
	said += r.replicator.stderr.String()
	if strings.Contains(said, r.source.Password()) {
		t.Errorf("the password of the source stands in\n%s", said)
	}
}
