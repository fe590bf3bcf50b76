package engine_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// logBuffer is a log that can be read while it is being written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// keep starts an engine that is kept until the test ends.
func keep(t *testing.T, options engine.Options) (*engine.Keeper, *logBuffer) {
	t.Helper()
	log := &logBuffer{}
	options.Log = slog.New(slog.NewTextHandler(log, nil))
	e, err := engine.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	k := engine.Keep(e, options)
	t.Cleanup(func() {
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		awaitEnd(t, k.Engine().PID())
	})
	return k, log
}

func kill(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

// awaitRestart waits until an engine runs again, after so many restarts or more.
func awaitRestart(t *testing.T, k *engine.Keeper, restarts int) *engine.Engine {
	t.Helper()
	if !enginetest.Eventually(func() bool { n, down := k.State(); return down == nil && n >= restarts }) {
		n, down := k.State()
		t.Fatalf("no engine after %d restarts, want %d: %v", n, restarts, down)
	}
	return k.Engine()
}

// awaitDown waits until no engine runs and the reason contains the words.
func awaitDown(t *testing.T, k *engine.Keeper, words string) {
	t.Helper()
	if !enginetest.Eventually(func() bool { _, down := k.State(); return down != nil && strings.Contains(down.Error(), words) }) {
		_, down := k.State()
		t.Fatalf("the keeper says %v, want %q", down, words)
	}
}

func TestAKeptEngineComesBackWhereItWas(t *testing.T) {
	k, log := keep(t, engine.Options{DataDir: t.TempDir()})
	first := k.Engine()
	c := open(t, first.URL())
	execute(t, c, "CREATE TABLE kept (n UInt64) ENGINE = MergeTree ORDER BY n")
	execute(t, c, "INSERT INTO kept VALUES (1), (2), (3)")
	for n := 1; n <= 2; n++ {
		kill(t, k.Engine().PID())
		e := awaitRestart(t, k, n)
		if e.Owner() != first.Owner() || e.Analyst() != first.Analyst() {
			t.Errorf("the connections changed: %v to %v", first.Owner(), e.Owner())
		}
		if rows := number(t, open(t, e.URL()), "SELECT count() FROM kept"); rows != 3 {
			t.Errorf("%d rows are left of 3", rows)
		}
	}
	for _, said := range []string{"has ended; it will be started again", "ended unexpectedly", "runs again"} {
		if n := strings.Count(log.String(), said); n != 2 {
			t.Errorf("the log says %q %d times, want 2:\n%s", said, n, log)
		}
	}
}

func TestAKeeperTellsWhyNoEngineRunsAndGoesOnTrying(t *testing.T) {
	t.Parallel()
	library := filepath.Join(t.TempDir(), "libchdb.so")
	link := func() {
		if err := os.Symlink(os.Getenv(engine.LibraryVariable), library); err != nil {
			t.Fatal(err)
		}
	}
	link()
	k, log := keep(t, engine.Options{DataDir: t.TempDir(), Library: library})
	if err := os.Remove(library); err != nil {
		t.Fatal(err)
	}
	kill(t, k.Engine().PID())
	awaitDown(t, k, library)
	link()
	awaitRestart(t, k, 1)
	if n := strings.Count(log.String(), "can't be started"); n == 0 {
		t.Errorf("the log does not say what failed:\n%s", log)
	}
}

func TestAKeptEngineThatHangsIsReplaced(t *testing.T) {
	t.Parallel()
	k, log := keep(t, engine.Options{DataDir: t.TempDir(), Silence: 5 * time.Second})
	hung := k.Engine().PID()
	if err := syscall.Kill(hung, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	awaitRestart(t, k, 1)
	if running(hung) {
		t.Error("the one that hangs is still there")
	}
	if !strings.Contains(log.String(), "answers nothing") {
		t.Errorf("the log does not say why:\n%s", log)
	}
}

// At whatever moment a keeper that restarts its engine is closed, no process is left that could still write to the
// directory.
func TestClosingAKeeperThatRestartsEnds(t *testing.T) {
	t.Parallel()
	for n := range 6 {
		dir := t.TempDir()
		k, _ := keep(t, engine.Options{DataDir: dir})
		kill(t, k.Engine().PID())
		awaitDown(t, k, "")
		time.Sleep(time.Duration(n) * 30 * time.Millisecond) // so that each Close hits a later moment of the start
		if err := k.Close(); err != nil {
			t.Error(err)
		}
		if pids := enginesOn(t, dir); len(pids) > 0 {
			t.Errorf("closed after %d ms: processes %v are left", n*30, pids)
		}
	}
}

// enginesOn returns the processes of engines on a directory.
func enginesOn(t *testing.T, dir string) (pids []string) {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range lines {
		if line, _ := os.ReadFile(path); bytes.Contains(line, []byte("\x00"+dir+"\x00")) { // the process may have ended
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}
