package pgtest

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
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
