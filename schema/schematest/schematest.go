// Package schematest gives tests a database with the schema.
package schematest

import (
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
