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

// files are the migrations of one direction, in order.
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

func TestNumbersAreContiguous(t *testing.T) {
	ups, downs := files(t, "up"), files(t, "down")
	if uint(len(ups)) != schema.Latest() {
		t.Errorf("there are %d migrations and the last is number %d", len(ups), schema.Latest())
	}
	for i, path := range ups {
		if prefix := fmt.Sprintf("migrations/%04d_", i+1); !strings.HasPrefix(path, prefix) {
			t.Errorf("%s stands where number %d is due", path, i+1)
		}
		if down := strings.TrimSuffix(path, "up.sql") + "down.sql"; !slices.Contains(downs, down) {
			t.Errorf("%s is missing", down)
		}
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
