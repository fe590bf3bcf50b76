package engine_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// userVariable, in the environment, makes the test binary use the engine on the data directory that it names.
const userVariable = "ENGINE_TEST_USER"

// Most tests wait for processes to start and to end, and run beside each other. Those that need a port to be free which
// an engine has had, or that bound how long something takes, do not.
func TestMain(m *testing.M) {
	if dir := os.Getenv(userVariable); dir != "" {
		engine.RunChildIfAsked()
		runUser(dir)
		return
	}
	enginetest.Main(m)
}

// membership is what a user process reports about itself.
type membership struct {
	PID    int
	Joined bool
	Error  string
}

// runUser uses the engine until standard input ends.
func runUser(dir string) {
	e, err := engine.Start(context.Background(), engine.Options{DataDir: dir})
	if err != nil {
		json.NewEncoder(os.Stdout).Encode(membership{Error: err.Error()})
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(membership{PID: e.PID(), Joined: e.Joined()})
	io.Copy(io.Discard, os.Stdin)
	if err := e.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// user is another process that uses the engine.
type user struct {
	*exec.Cmd
	input  io.Closer
	output io.Reader
}

func startUser(t *testing.T, dir string) *user {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), userVariable+"="+dir)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { command.Process.Kill() })
	return &user{command, input, output}
}

// membership waits until the process uses the engine.
func (u *user) membership(t *testing.T) membership {
	t.Helper()
	var m membership
	line, err := bufio.NewReader(u.output).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	if m.Error != "" {
		t.Fatal(m.Error)
	}
	return m
}

// leave ends the process in the way in which a command ends that has done its work.
func (u *user) leave(t *testing.T) {
	t.Helper()
	u.input.Close()
	if err := u.Wait(); err != nil {
		t.Fatal(err)
	}
}

// kill kills the process, which gets no chance to clean up.
func (u *user) kill(t *testing.T) {
	t.Helper()
	if err := u.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	u.Wait()
}

func start(t *testing.T, o engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func closeEngine(t *testing.T, e *engine.Engine) {
	t.Helper()
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, url string) driver.Conn {
	t.Helper()
	options, err := clickhouse.ParseDSN(url)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func execute(t *testing.T, c driver.Conn, statement string) {
	t.Helper()
	if err := c.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

func number(t *testing.T, c driver.Conn, query string) (n uint64) {
	t.Helper()
	if err := c.QueryRow(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// running reports whether the process is running; one that has ended but was not waited for is not.
func running(pid int) bool {
	return !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !zombie(pid)
}

func zombie(pid int) bool {
	state, err := exec.Command("ps", "-o", "stat=", "-p", fmt.Sprint(pid)).Output()
	return err == nil && len(state) > 0 && state[0] == 'Z'
}

// awaitEnd waits until the process has ended.
func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	enginetest.Await(t, fmt.Sprintf("process %d has ended", pid), func() bool { return !running(pid) })
}
