package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

func write(t *testing.T, content string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// occupy listens on a port of its own for as long as the test lasts.
func occupy(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().(*net.TCPAddr).Port
}

func TestFailedStartsSayWhatToDo(t *testing.T) {
	for _, row := range []struct {
		why     string
		prepare func(t *testing.T, o *engine.Options)
		want    []string
	}{
		{
			"a library that is named must be there",
			func(t *testing.T, o *engine.Options) { o.Library = filepath.Join(o.DataDir, "none.so") },
			[]string{"none.so", "make engine", "ORGSTATS_LIBCHDB"},
		},
		{
			"without a name it is looked for beside the program",
			func(t *testing.T, o *engine.Options) { t.Setenv(engine.LibraryVariable, "") },
			[]string{"beside the program", "make engine", "ORGSTATS_LIBCHDB"},
		},
		{
			"a library for another machine cannot be opened",
			func(t *testing.T, o *engine.Options) {
				o.Library = write(t, "\x7fELF\x02\x01\x01 of another machine", o.DataDir, "other.so")
			},
			[]string{"other.so", "cannot be used on", "make engine", "ORGSTATS_LIBCHDB"},
		},
		{
			"a wanted port is not exchanged for another",
			func(t *testing.T, o *engine.Options) { o.Port = occupy(t) },
			[]string{"port ", "not free", "--engine-port"},
		},
		{
			"a data directory must be a directory",
			func(t *testing.T, o *engine.Options) { o.DataDir = write(t, "", o.DataDir, "file") },
			[]string{"file", "--data-dir", "ORGSTATS_DATA_DIR"},
		},
		{
			"and one that can be made",
			func(t *testing.T, o *engine.Options) { o.DataDir = "/dev/null/data" },
			[]string{"/dev/null/data", "--data-dir"},
		},
		{
			"ClickHouse's own words tell what is broken in the data",
			func(t *testing.T, o *engine.Options) {
				write(t, "ATTACH NONSENSE", o.DataDir, "clickhouse", "metadata", "orgstats.sql")
			},
			[]string{"did not start", "orgstats.sql"},
		},
		{
			"an older ClickHouse must not touch what a newer has written",
			func(t *testing.T, o *engine.Options) { write(t, `{"version": "99.1.2.3"}`, o.DataDir, "engine.json") },
			[]string{"99.1.2.3", "older", "make engine"},
		},
		{
			"a damaged state names its file",
			func(t *testing.T, o *engine.Options) { write(t, `{`, o.DataDir, "engine.json") },
			[]string{"engine.json", "remove it"},
		},
		{
			"damaged passwords too",
			func(t *testing.T, o *engine.Options) { write(t, `{}`, o.DataDir, "credentials.json") },
			[]string{"credentials.json", "remove it"},
		},
	} {
		t.Run(row.why, func(t *testing.T) {
			o := engine.Options{DataDir: t.TempDir()}
			row.prepare(t, &o)
			began := time.Now()
			e, err := engine.Start(t.Context(), o)
			if err == nil {
				e.Close()
				t.Fatal("the engine started")
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			// Who does not notice that the process has ended learns it at the end of a start's time, which is a minute.
			if took := time.Since(began); took > 50*time.Second {
				t.Errorf("it took %v to find out", took)
			}
		})
	}
}

func TestAnotherPortIsTakenWhenTheRememberedOneIsNotFree(t *testing.T) {
	dir := t.TempDir()
	taken := occupy(t)
	write(t, fmt.Sprintf(`{"tcpPort": %d, "httpPort": %d}`, taken, taken), dir, "engine.json")
	e := start(t, engine.Options{DataDir: dir})
	if c := e.Owner(); c.TCPPort == taken || c.HTTPPort == taken || c.TCPPort == c.HTTPPort {
		t.Errorf("the ports are %d and %d, where %d is taken", c.TCPPort, c.HTTPPort, taken)
	}
	closeEngine(t, e)
}

// A connection or a listener of another program has the engine's port between its choice and its use, and no more when
// the engine has ended for that.
func TestPortIsChosenAgainThatWasLostForAMoment(t *testing.T) {
	dir := t.TempDir()
	lost := make(chan bool, 1)
	go func() {
		var chosen struct{ TCPPort int }
		enginetest.Eventually(func() bool {
			text, _ := os.ReadFile(filepath.Join(dir, "engine.json")) // it is not there at first
			return json.Unmarshal(text, &chosen) == nil && chosen.TCPPort != 0
		})
		listener, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", chosen.TCPPort))
		if err != nil {
			lost <- false
			return
		}
		lost <- enginetest.Eventually(func() bool {
			text, _ := os.ReadFile(filepath.Join(dir, "engine.stderr.log")) // it is not there at first
			return strings.Contains(string(text), "Address already in use")
		})
		listener.Close()
	}()
	e := start(t, engine.Options{DataDir: dir})
	if !<-lost {
		t.Error("the engine did not lose its port: nothing was shown")
	}
	closeEngine(t, e)
}

func TestWantedPortIsUsed(t *testing.T) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	e := start(t, engine.Options{DataDir: t.TempDir(), Port: port})
	if got := e.Owner().TCPPort; got != port {
		t.Errorf("the engine listens on %d, want %d", got, port)
	}
	closeEngine(t, e)
}

func TestDirectoryHeldByAnEngineThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, `{"pid": 4711}`, dir, "engine.json")
	held := flock.New(filepath.Join(dir, "engine.lock"))
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := engine.Start(ctx, engine.Options{DataDir: dir})
	if err == nil || !strings.Contains(err.Error(), "kill -9 4711") {
		t.Errorf("got %v", err)
	}
}

func TestFailedStartLeavesNoProcess(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	metadata := write(t, "ATTACH NONSENSE", dir, "clickhouse", "metadata", "orgstats.sql")
	if e, err := engine.Start(t.Context(), engine.Options{DataDir: dir}); err == nil {
		e.Close()
		t.Fatal("the engine started")
	}
	if err := os.Remove(metadata); err != nil {
		t.Fatal(err)
	}
	e := start(t, engine.Options{DataDir: dir})
	if e.Joined() {
		t.Error("the engine of the failed start was still there")
	}
	closeEngine(t, e)
}

func TestBrokenConnectionsDoNotEndTheEngine(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	for _, port := range []int{e.Owner().TCPPort, e.Owner().HTTPPort} {
		for _, greeting := range []string{"", "\x00", "\x00\x05hello", "GET / HTTP/1.1\r\n", strings.Repeat("\xff", 1<<16)} {
			c, err := net.Dial("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				t.Fatal(err)
			}
			c.(*net.TCPConn).SetLinger(0) // the other side sees a reset
			c.Write([]byte(greeting))
			c.Close()
		}
	}
	connection := open(t, e.URL())
	for range 5 {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		var n uint64
		if err := connection.QueryRow(ctx, "SELECT sum(sipHash64(number)) FROM numbers(100000000000)").Scan(&n); err == nil {
			t.Error("a query went on without its caller")
		}
		cancel()
	}
	if n := number(t, connection, "SELECT toUInt64(1)"); n != 1 || e.Err() != nil {
		t.Errorf("got %d, %v", n, e.Err())
	}
	connection.Close()
}

func TestCloseEndsWhatIsStillRunning(t *testing.T) {
	t.Parallel()
	e := start(t, engine.Options{DataDir: t.TempDir()})
	analyst := open(t, e.Analyst().URL())
	began := make(chan error, 1)
	go func() {
		// The statement takes many seconds and stays within the rows that an analyst may read.
		began <- analyst.Exec(context.Background(), "SELECT sum(sipHash64(sipHash64(sipHash64(number)))) FROM numbers(1900000000) FORMAT Null")
	}()
	owner := open(t, e.URL())
	for number(t, owner, "SELECT count() FROM system.processes WHERE user = 'analyst'") == 0 {
		if len(began) > 0 {
			t.Fatal(<-began)
		}
	}
	owner.Close()
	closeEngine(t, e)
	if running(e.PID()) {
		t.Error("the engine still runs")
	}
	if err := <-began; err == nil {
		t.Error("the query has ended without an error")
	}
}
