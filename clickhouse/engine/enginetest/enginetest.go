// Package enginetest provides tests with the embedded engine: a real ClickHouse, on a data directory of their own.
package enginetest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine"
)

// Main is the TestMain of a package whose tests start engines: it lets the test binary be the engine's process, and
// points ORGSTATS_LIBCHDB to the library that `make engine` has fetched, unless it is set.
func Main(m *testing.M) {
	engine.RunChildIfAsked()
	UseFetchedLibrary()
	os.Exit(m.Run())
}

// UseFetchedLibrary sets ORGSTATS_LIBCHDB to bin/libchdb.so of the repository, unless it is set. A test binary is in a
// folder of its own, where the library is not beside it.
func UseFetchedLibrary() {
	if os.Getenv(engine.LibraryVariable) == "" {
		os.Setenv(engine.LibraryVariable, filepath.Join(repository(), "bin", "libchdb.so"))
	}
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

// Patience is how long tests wait for what should happen soon. Only a failure takes that long, so that no test fails
// because the machine is busy.
const Patience = time.Minute

// Eventually waits for a condition, and reports whether it became true.
func Eventually(condition func() bool) bool { return Within(Patience, condition) }

// Within is Eventually with a patience of its own, for a condition that may take longer. The pauses grow with the time
// that was waited, so that what is waited for has the processors: many conditions are statements or read files.
func Within(patience time.Duration, condition func() bool) bool {
	const share, longest = 16, 50 * time.Millisecond
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
