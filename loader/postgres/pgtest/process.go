package pgtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// Start starts the cluster and returns when it accepts connections, which is after its recovery when it was killed.
func (c *Cluster) Start() {
	c.Helper()
	for deadline := time.Now().Add(enginetest.Patience); ; {
		c.spawn()
		err := c.await(deadline)
		if err == nil {
			return
		}
		// After a kill the last processes of the former server may hold its memory, and its port, for a moment.
		if time.Now().After(deadline) {
			c.Fatalf("PostgreSQL does not start: %v", err)
		}
		c.Kill()
	}
}

// Stop ends the cluster as an administrator does: connections are cut, everything is written. A replication connection
// whose client reads no changes any more keeps it waiting.
func (c *Cluster) Stop() {
	c.Helper()
	if c.process == nil {
		return
	}
	_ = c.process.Process.Signal(syscall.SIGINT) // it may have ended
	select {
	case <-c.exited:
	case <-time.After(enginetest.Patience):
		c.Fatalf("PostgreSQL does not stop")
	}
	c.process = nil
}

// Kill ends all processes of the cluster as kill -9 does. Nothing that was acknowledged is lost.
func (c *Cluster) Kill() {
	if c.process == nil {
		return
	}
	// Those who are forked meanwhile see that their parent has gone, and end.
	backends := children(c.process.Process.Pid)
	for _, pid := range append(backends, c.process.Process.Pid) {
		_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
	}
	<-c.exited
	c.process = nil
	for _, pid := range backends {
		enginetest.Eventually(func() bool { return syscall.Kill(pid, 0) != nil })
	}
}

// Restart stops and starts the cluster.
func (c *Cluster) Restart() {
	c.Helper()
	c.Stop()
	c.Start()
}

// spawn starts the server's process.
func (c *Cluster) spawn() {
	c.Helper()
	arguments := []string{"-D", c.data(), "-p", strconv.Itoa(c.port)}
	for _, setting := range c.settings {
		arguments = append(arguments, "-c", setting)
	}
	log, err := os.OpenFile(c.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.Fatal(err)
	}
	defer log.Close()
	process, exited := c.command("postgres", arguments...), make(chan struct{})
	process.Stdout, process.Stderr = log, log
	// What the terminal sends to the test is not for the server.
	process.SysProcAttr.Setpgid = true
	if err := process.Start(); err != nil {
		c.Fatal(err)
	}
	go func() {
		_ = process.Wait() // the log says why
		close(exited)
	}()
	c.process, c.exited = process, exited
}

// await waits until the server accepts connections.
func (c *Cluster) await(deadline time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), deadline)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.urlOf("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-c.exited:
			return errors.New(c.lastWords())
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// command returns one of PostgreSQL's programs, which gets none of the tester's own settings and ends with the test.
func (c *Cluster) command(name string, arguments ...string) *exec.Cmd {
	command := c.run(exec.Command(c.programs.path(name), arguments...))
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC", "PGPASSWORD=" + password}
	return command
}

// runProgram runs one of PostgreSQL's programs to its end.
func (c *Cluster) runProgram(name string, arguments ...string) {
	c.Helper()
	if said, err := c.command(name, arguments...).CombinedOutput(); err != nil {
		c.Fatalf("%s: %v: %s", name, err, said)
	}
}

// serverCredential is whom PostgreSQL runs as: the test's user, but for root, as whom it refuses to run, nobody.
func serverCredential() *syscall.Credential {
	if os.Geteuid() != 0 {
		return nil
	}
	const overflow = 65534 // nobody, where there is no such name
	credential := &syscall.Credential{Uid: overflow, Gid: overflow}
	if nobody, err := user.Lookup("nobody"); err == nil {
		uid, uidErr := strconv.ParseUint(nobody.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(nobody.Gid, 10, 32)
		if uidErr == nil && gidErr == nil {
			credential.Uid, credential.Gid = uint32(uid), uint32(gid)
		}
	}
	return credential
}

// giveToServer makes a directory that of the server's user.
func giveToServer(dir string) error {
	credential := serverCredential()
	if credential == nil {
		return nil
	}
	if err := os.Chown(dir, int(credential.Uid), int(credential.Gid)); err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and its directory can't be given to another user: %w", err)
	}
	return nil
}

// children returns the processes that a process has started and that live.
func children(pid int) (pids []int) {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, list := range lists {
		text, _ := os.ReadFile(list) // the process may have ended
		for _, field := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(field); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// freePort returns a port below those that the kernel assigns to connections and to listeners on port 0: none of them
// may have a cluster's port while the cluster is down, or before it has started.
func freePort() (port int, err error) {
	for range 100 {
		port = 20_000 + rand.IntN(12_000)
		var listener net.Listener
		if listener, err = net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port))); err == nil {
			return port, listener.Close()
		}
	}
	return 0, err
}
