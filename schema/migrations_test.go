package schema_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/schema"
)

// files returns the migrations of one direction, in order.
func files(t *testing.T, direction string) []string {
	t.Helper()
	paths, err := filepath.Glob("migrations/*." + direction + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(paths)
	return paths
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// numberOf returns the number in a migration's name.
func numberOf(t *testing.T, path string) (number uint) {
	t.Helper()
	if _, err := fmt.Sscanf(filepath.Base(path), "%04d_", &number); err != nil {
		t.Fatalf("%s has no number of four digits: %v", path, err)
	}
	return number
}

// since returns how many migrations there are from a number on.
func since(t *testing.T, number uint) (n int) {
	t.Helper()
	for _, path := range files(t, "up") {
		if numberOf(t, path) >= number {
			n++
		}
	}
	return n
}

func TestEveryMigrationHasANumberAndAWayBack(t *testing.T) {
	ups, downs := files(t, "up"), files(t, "down")
	last := uint(0)
	for _, path := range ups {
		number := numberOf(t, path)
		if number <= last {
			t.Errorf("%s does not come after number %d", path, last)
		}
		last = number
		if down := strings.TrimSuffix(path, "up.sql") + "down.sql"; !slices.Contains(downs, down) {
			t.Errorf("%s is missing", down)
		}
	}
	if last != schema.Latest() {
		t.Errorf("the last migration has number %d, and %d is taken for it", last, schema.Latest())
	}
	if len(downs) != len(ups) {
		t.Errorf("there are %d ways up and %d down", len(ups), len(downs))
	}
}

// A migration that was cut off is run again, so a second run must change nothing. The server takes one statement at a
// time, so a file with two would fail.
func TestEveryStatementCanBeRunAgain(t *testing.T) {
	_, conn := start(t)
	for _, path := range files(t, "up") {
		statement := read(t, path)
		execute(t, conn, statement)
		before := definitions(t, conn)
		execute(t, conn, statement)
		if after := definitions(t, conn); !slices.Equal(after, before) {
			t.Errorf("the second run of %s changed the tables", path)
		}
	}
	downs := files(t, "down")
	slices.Reverse(downs)
	for _, path := range downs {
		statement := read(t, path)
		execute(t, conn, statement)
		execute(t, conn, statement)
	}
	if left := tables(t, conn); len(left) > 0 {
		t.Errorf("the ways down left %q", left)
	}
}

func TestEverythingHasAComment(t *testing.T) {
	url, conn := start(t)
	up(t, url)
	if silent := list(t, conn, `
SELECT groupArray(name)
FROM system.tables
WHERE database = currentDatabase() AND name != 'schema_migrations' AND comment = ''`); len(silent) > 0 {
		t.Errorf("tables without a comment: %q", silent)
	}
	if silent := list(t, conn, `
SELECT groupArray(table || '.' || name)
FROM system.columns
WHERE database = currentDatabase() AND table != 'schema_migrations' AND comment = ''`); len(silent) > 0 {
		t.Errorf("columns without a comment: %q", silent)
	}
}
