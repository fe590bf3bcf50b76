package pgtest

import (
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// template is a cluster with the tests' database that is not running, as long as any test uses a copy of it: making
// one takes much longer than copying its files.
var template struct {
	mu      sync.Mutex
	users   int
	cluster *Cluster
}

// copyTemplate makes the cluster's files a copy of the template's.
func (c *Cluster) copyTemplate() {
	c.Helper()
	template.mu.Lock()
	defer template.mu.Unlock()
	if template.users == 0 {
		template.cluster = newTemplate(c.TB)
	}
	template.users++
	c.Cleanup(leaveTemplate)
	if said, err := c.run(exec.Command("cp", "-Rp", template.cluster.data(), c.data())).CombinedOutput(); err != nil {
		c.Fatalf("copy a cluster's files: %v: %s", err, said)
	}
}

func leaveTemplate() {
	template.mu.Lock()
	defer template.mu.Unlock()
	if template.users--; template.users == 0 {
		_ = os.RemoveAll(template.cluster.dir) // what is left is in a temporary directory
	}
}

// newTemplate makes the template, which outlives the test that needs it first.
func newTemplate(tb testing.TB) *Cluster {
	tb.Helper()
	c := makeCluster(tb, nil)
	made := false
	defer func() {
		if !made {
			c.remove()
		}
	}()
	c.initialize()
	c.Start()
	c.createDatabase()
	c.Stop()
	made = true
	return c
}

// run lets a command run as the server's user.
func (c *Cluster) run(command *exec.Cmd) *exec.Cmd {
	command.Dir = c.dir
	command.SysProcAttr = &syscall.SysProcAttr{Credential: serverCredential()}
	endWithParent(command.SysProcAttr)
	return command
}

// Standby makes a cluster that follows this one by streaming replication, as those do that take over when a primary
// fails. It has none of the primary's replication slots. Settings are added to those of the primary.
func (c *Cluster) Standby(settings ...string) *Cluster {
	c.Helper()
	s := newCluster(c.TB, append(c.settings[:len(c.settings):len(c.settings)], settings...))
	s.runProgram("pg_basebackup", "--pgdata", s.data(), "--dbname", c.urlOf("postgres"), "--checkpoint=fast", "--wal-method=stream",
		"--write-recovery-conf", "--no-sync", "--no-password")
	s.Start()
	return s
}

// Promote makes a standby a primary, on a timeline of its own, after it has received all that the primary has
// committed, and kills the primary.
func (c *Cluster) Promote(primary *Cluster) {
	c.Helper()
	c.awaitReplay(primary)
	primary.Kill()
	c.ExecIn("postgres", "SELECT pg_promote(wait_seconds => "+strconv.Itoa(int(enginetest.Patience.Seconds()))+")")
}

// awaitReplay waits until the standby is where the primary is now.
func (c *Cluster) awaitReplay(primary *Cluster) {
	c.Helper()
	var end string
	if err := primary.Connect().QueryRow(c.Context(), "SELECT pg_current_wal_flush_lsn()").Scan(&end); err != nil {
		c.Fatal(err)
	}
	conn := c.Connect()
	c.Await("the standby follows", func() (reached bool) {
		if err := conn.QueryRow(c.Context(), "SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn", end).Scan(&reached); err != nil {
			c.Fatal(err)
		}
		return reached
	})
}
