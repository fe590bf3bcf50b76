package engine_test

import (
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

func TestDataAndPortsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	first := start(t, engine.Options{DataDir: dir})
	c := open(t, first.URL())
	execute(t, c, "CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
	execute(t, c, "INSERT INTO kept VALUES (1), (2), (3)")
	closeEngine(t, first)
	if running(first.PID()) {
		t.Errorf("Close returned while process %d was running", first.PID())
	}
	if err := first.Err(); err != nil {
		t.Errorf("a closed engine reports an end of its own: %v", err)
	}

	second := start(t, engine.Options{DataDir: dir})
	if second.Joined() || second.PID() == first.PID() {
		t.Error("the second start joined the engine that had ended")
	}
	if second.Owner() != first.Owner() || second.Analyst() != first.Analyst() {
		t.Errorf("the connections changed: %v to %v", first.Owner(), second.Owner())
	}
	if n := number(t, open(t, second.URL()), "SELECT count() FROM kept"); n != 3 {
		t.Errorf("%d rows are left of 3", n)
	}
	closeEngine(t, second)
}

func TestSettingsAreThoseOfAServer(t *testing.T) {
	t.Parallel()
	c := open(t, enginetest.Start(t).URL())
	for query, want := range map[string]uint64{
		"SELECT toUInt64(getSetting('async_insert'))":                                                                 0,
		"SELECT toUInt64(timezone() = 'UTC')":                                                                         1,
		"SELECT count() FROM system.databases WHERE name = 'orgstats'":                                                1,
		"SELECT count() FROM system.tables WHERE database = 'system' AND name LIKE '%\\_log' AND name != 'query_log'": 0,
	} {
		if got := number(t, c, query); got != want {
			t.Errorf("%s gave %d, want %d", query, got, want)
		}
	}
	execute(t, c, "SYSTEM FLUSH LOGS")
	if number(t, c, "SELECT count() FROM system.query_log") == 0 {
		t.Error("the query log is empty")
	}
}

func TestFilesArePrivate(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "by the <engine> & kept")
	closeEngine(t, start(t, engine.Options{DataDir: dir}))
	for name, want := range map[string]fs.FileMode{
		"":                 fs.ModeDir | 0o700,
		"clickhouse":       fs.ModeDir | 0o700,
		"credentials.json": 0o600,
		"users.xml":        0o600,
		"engine.xml":       0o600,
		"engine.json":      0o600,
		"engine.log":       0o600,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode() != want {
			t.Errorf("%q has mode %v, want %v", name, info.Mode(), want)
		}
	}
}

func TestEngineOutlivesItsStarter(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	starter := startUser(t, dir)
	pid := starter.membership(t).PID
	joiner := start(t, engine.Options{DataDir: dir})
	if !joiner.Joined() || joiner.PID() != pid {
		t.Fatalf("a second start did not join process %d but %d", pid, joiner.PID())
	}
	starter.kill(t)
	c := open(t, joiner.URL())
	if n := number(t, c, "SELECT toUInt64(42)"); n != 42 {
		t.Errorf("got %d", n)
	}
	closeEngine(t, joiner)
	awaitEnd(t, pid)
}

func TestStarterLeavesTheEngineToItsJoiner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	starter := start(t, engine.Options{DataDir: dir})
	joiner := startUser(t, dir)
	if !joiner.membership(t).Joined {
		t.Fatal("the second process did not join")
	}
	closeEngine(t, starter)
	if !running(starter.PID()) {
		t.Fatal("the engine ended under its joiner")
	}
	joiner.leave(t)
	awaitEnd(t, starter.PID())
}

func TestNothingStaysAfterKill(t *testing.T) {
	t.Parallel()
	only := startUser(t, t.TempDir())
	pid := only.membership(t).PID
	if !running(pid) {
		t.Fatal("no engine runs")
	}
	only.kill(t)
	awaitEnd(t, pid)
}

func TestEngineIgnoresTheTerminalsSignals(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if err := syscall.Kill(e.PID(), signal); err != nil {
			t.Fatal(err)
		}
	}
	if n := number(t, open(t, e.URL()), "SELECT toUInt64(1)"); n != 1 {
		t.Errorf("got %d", n)
	}
	if group, err := syscall.Getpgid(e.PID()); err != nil || group == syscall.Getpgrp() {
		t.Errorf("the engine is in the program's process group (%d, %v)", group, err)
	}
}

func TestConcurrentStartsGiveOneEngine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	users := []*user{startUser(t, dir), startUser(t, dir), startUser(t, dir)}
	pids := map[int]bool{}
	starters := 0
	for _, u := range users {
		m := u.membership(t)
		pids[m.PID] = true
		if !m.Joined {
			starters++
		}
	}
	if len(pids) != 1 || starters != 1 {
		t.Fatalf("%d engines of %d starters", len(pids), starters)
	}
	for _, u := range users {
		u.leave(t)
	}
	for pid := range pids {
		awaitEnd(t, pid)
	}
}

// Each start hits the end of the previous engine at a different moment.
func TestStartWhileTheLastUserLeaves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	last := startUser(t, dir)
	last.membership(t)
	for range 6 {
		next := startUser(t, dir)
		last.kill(t)
		next.membership(t)
		last = next
	}
	last.leave(t)
}

// The last user to close the engine ends it at once; a command that comes at the same moment starts another.
func TestStartWhileTheLastUserCloses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	last := start(t, engine.Options{DataDir: dir})
	for range 6 {
		next := make(chan *engine.Engine)
		go func() {
			defer close(next)
			if e, err := engine.Start(t.Context(), engine.Options{DataDir: dir}); err != nil {
				t.Error(err)
			} else {
				next <- e
			}
		}()
		closeEngine(t, last) // either before or after the other has joined
		if last = <-next; last == nil {
			return
		}
	}
	closeEngine(t, last)
}

func TestUnexpectedEndIsReported(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	starter := start(t, engine.Options{DataDir: dir})
	joiner := start(t, engine.Options{DataDir: dir})
	if err := starter.Err(); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(starter.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for _, e := range []*engine.Engine{starter, joiner} {
		select {
		case <-e.Done():
		case <-time.After(enginetest.Patience):
			t.Fatal("the end of the engine goes unnoticed")
		}
		if e.Err() == nil {
			t.Error("no error says that the engine has ended")
		}
		closeEngine(t, e)
	}
	again := start(t, engine.Options{DataDir: dir})
	if again.Joined() {
		t.Error("a dead engine was joined")
	}
	closeEngine(t, again)
}

func TestRunningEngineHoldsItsLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := start(t, engine.Options{DataDir: dir})
	lock := flock.New(filepath.Join(dir, "engine.lock"))
	if free, err := lock.TryLock(); free || err != nil {
		t.Errorf("the lock is free: %t, %v", free, err)
	}
	closeEngine(t, e)
	if free, err := lock.TryLock(); !free || err != nil {
		t.Errorf("the lock is free after the end: %t, %v", free, err)
	}
	lock.Close()
}

func TestListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		ip := address.(*net.IPNet).IP
		for _, port := range []int{e.Owner().TCPPort, e.Owner().HTTPPort} {
			c, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: ip, Port: port})
			if err == nil {
				c.Close()
			}
			if open := err == nil; open != (ip.String() == "127.0.0.1") {
				t.Errorf("port %d on %s: open is %t", port, ip, open)
			}
		}
	}
}

func TestConnectionsDoNotPrintTheirPassword(t *testing.T) {
	c := engine.Connection{User: "analyst", Password: "hidden", Host: "127.0.0.1", TCPPort: 9000, HTTPPort: 8123, Database: "orgstats"}
	if s := c.String(); strings.Contains(s, "hidden") {
		t.Error(s)
	}
	for _, got := range []struct{ text, want string }{
		{c.URL(), "clickhouse://analyst:hidden@127.0.0.1:9000/orgstats"},
		{c.ClientCommand(), "clickhouse client --host 127.0.0.1 --port 9000 --user analyst --password hidden --database orgstats"},
		{c.CurlCommand("SELECT 'a'"), `curl --user analyst:hidden 'http://127.0.0.1:8123/?database=orgstats' --data-binary 'SELECT '\''a'\'''`},
	} {
		if got.text != got.want {
			t.Errorf("got  %s\nwant %s", got.text, got.want)
		}
	}
}
