// Package schematest gives tests a database with the schema.
package schematest

import (
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/schema"
)

// Start starts an engine for one test, brings its database to the schema of this program, and returns the database's
// URL and connections to it. All end with the test.
func Start(tb testing.TB) (url string, conn clickhouse.Conn) {
	tb.Helper()
	url = enginetest.Start(tb).URL()
	if _, err := schema.Up(tb.Context(), url); err != nil {
		tb.Fatal(err)
	}
	conn, err := clickhouse.Open(tb.Context(), url, clickhouse.Pool{MaxOpen: 8, MaxIdle: 8})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = conn.Close() })
	return url, conn
}
