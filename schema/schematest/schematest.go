// Package schematest gives tests a database with the schema.
package schematest

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/schema"
)

// Database creates a database with the schema of this program for one test, and returns its URL and connections to it.
// All end with the test.
func Database(tb testing.TB) (url string, conn clickhouse.Conn) {
	tb.Helper()
	url = enginetest.Database(tb)
	conn, err := clickhouse.Open(tb.Context(), url, clickhouse.Pool{MaxOpen: 8, MaxIdle: 8})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	if err := migrated.makeTables(tb.Context(), url, conn); err != nil {
		tb.Fatal(err)
	}
	return url, conn
}

// migrated is what the migrations make of an empty database. They run for the first test of a package; the others get
// tables that are declared as those are, which takes a fraction of the time.
var migrated declarations

type declarations struct {
	mu         sync.Mutex
	database   string   // that they are of
	statements []string // that make its tables and views
}

func (d *declarations) makeTables(ctx context.Context, url string, conn clickhouse.Conn) error {
	database := databaseOf(url)
	statements, from, err := d.read(ctx, url, database, conn)
	if err != nil || from == database {
		return err
	}
	for _, statement := range statements {
		if err := conn.Exec(ctx, strings.ReplaceAll(statement, from+".", database+".")); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// read returns the statements, and the database that they were read from, which is this one, once it is migrated, if it
// is the first.
func (d *declarations) read(ctx context.Context, url, database string, conn clickhouse.Conn) (statements []string, from string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.database != "" {
		return d.statements, d.database, nil
	}
	if _, err := schema.Up(ctx, url); err != nil {
		return nil, "", err
	}
	// Views are made after what they read.
	statements, err = texts(ctx, conn, "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() ORDER BY engine = 'View', name")
	if err != nil {
		return nil, "", err
	}
	d.database = database
	d.statements = append(statements, fmt.Sprintf("INSERT INTO %s.schema_migrations VALUES (%d, 0, 1)", database, schema.Latest()))
	return d.statements, database, nil
}

// texts returns the rows of a query of one text each.
func texts(ctx context.Context, conn clickhouse.Conn, query string) (all []string, err error) {
	err = clickhouse.ForEach(ctx, conn, query, func(scan clickhouse.Scan) error {
		var text string
		err := scan(&text)
		all = append(all, text)
		return err
	})
	return all, err
}

func databaseOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "" // the connection was opened with it
	}
	return strings.TrimPrefix(u.Path, "/")
}
