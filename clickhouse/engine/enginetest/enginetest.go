// Package enginetest provides tests with the embedded engine: a real ClickHouse, on a data directory of their own.
package enginetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine"
)

// Main is the TestMain of a package whose tests start engines: it lets the test binary be the engine's process, and
// points ORGSTATS_LIBCHDB to the library that `make engine` has fetched, unless it is set. A test binary is in a folder
// of its own, where the library is not beside it.
func Main(m *testing.M) {
	engine.RunChildIfAsked()
	if os.Getenv(engine.LibraryVariable) == "" {
		os.Setenv(engine.LibraryVariable, filepath.Join(repository(), "bin", "libchdb.so"))
	}
	status := m.Run()
	if err := shared.end(); err != nil {
		fmt.Fprintln(os.Stderr, "the engine of the tests:", err)
		status = 1
	}
	os.Exit(status)
}

// Start starts an engine for one test, on an empty data directory, and closes it with the test.
func Start(tb testing.TB) *engine.Engine {
	tb.Helper()
	e, err := engine.Start(tb.Context(), engine.Options{DataDir: tb.TempDir()})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := e.Close(); err != nil {
			tb.Error(err)
		}
	})
	return e
}

// shared is the engine of the tests that need only a database of their own. It starts with the first of them.
var shared sharedEngine

type sharedEngine struct {
	once    sync.Once
	dir     string
	engine  *engine.Engine
	err     error
	created atomic.Int64 // databases
}

func (s *sharedEngine) start() error {
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "orgstats-engine-*"); s.err == nil {
			s.engine, s.err = engine.Start(context.Background(), engine.Options{DataDir: s.dir})
		}
	})
	return s.err
}

func (s *sharedEngine) end() error {
	if s.engine == nil {
		return os.RemoveAll(s.dir)
	}
	return errors.Join(s.engine.Close(), os.RemoveAll(s.dir))
}

// Database creates an empty database for one test, on an engine that the tests of a package share because starting one
// takes long, and returns its URL. The database is dropped after the test.
func Database(tb testing.TB) (url string) {
	tb.Helper()
	if err := shared.start(); err != nil {
		tb.Fatal(err)
	}
	owner := shared.engine.Owner()
	c := owner
	c.Database = fmt.Sprintf("test_%d", shared.created.Add(1))
	execute(tb, owner, "CREATE DATABASE "+c.Database)
	tb.Cleanup(func() { execute(tb, owner, "DROP DATABASE "+c.Database+" SYNC") })
	return c.URL()
}

// execute executes a statement on a connection of its own.
func execute(tb testing.TB, c engine.Connection, statement string) {
	tb.Helper()
	db, err := clickhouse.OpenDB(c.URL())
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		tb.Errorf("%s: %v", statement, err)
	}
}

// Patience is how long tests wait for what should happen soon. Only a failure takes that long, so that no test fails
// because the machine is busy.
const Patience = 5 * time.Minute

// Eventually waits for a condition, and reports whether it became true.
func Eventually(condition func() bool) bool { return Within(Patience, condition) }

// Within is Eventually with a patience of its own, for a condition that may take longer. The pauses grow with the time
// that was waited, so that what is waited for has the processors: many conditions are statements or read files.
func Within(patience time.Duration, condition func() bool) bool {
	const share, longest = 8, 200 * time.Millisecond
	for begun := time.Now(); !condition(); {
		waited := time.Since(begun)
		if waited > patience {
			return false
		}
		time.Sleep(min(max(waited/share, time.Millisecond), longest))
	}
	return true
}

// Await waits for a condition that the rest of the test needs.
func Await(tb testing.TB, what string, condition func() bool) {
	tb.Helper()
	if !Eventually(condition) {
		tb.Fatalf("not within %s: %s", Patience, what)
	}
}

// repository returns the folder of go.mod: a test runs in its package's folder, somewhere below.
func repository() string {
	folder, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if _, err := os.Stat(filepath.Join(folder, "go.mod")); err == nil {
			return folder
		}
	}
	panic("no go.mod above the test's folder")
}
