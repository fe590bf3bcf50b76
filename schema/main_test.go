package schema_test

import (
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/schema"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// start returns the URL of an empty database and a connection to it.
func start(t *testing.T) (url string, conn clickhouse.Conn) {
	t.Helper()
	url = enginetest.Database(t)
	conn, err := clickhouse.Open(t.Context(), url, clickhouse.Pool{MaxOpen: 2, MaxIdle: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return url, conn
}

func execute(t *testing.T, conn clickhouse.Conn, statement string, args ...any) {
	t.Helper()
	if err := conn.Exec(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// list asks for a column of strings.
func list(t *testing.T, conn clickhouse.Conn, query string) []string {
	t.Helper()
	var values []string
	if err := conn.QueryRow(t.Context(), query).Scan(&values); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return values
}

// tables returns the names of the schema's own tables and views.
func tables(t *testing.T, conn clickhouse.Conn) []string {
	t.Helper()
	return list(t, conn, `
SELECT arraySort(groupArray(name))
FROM system.tables
WHERE database = currentDatabase() AND name != 'schema_migrations'`)
}

func up(t *testing.T, url string) (before schema.Version) {
	t.Helper()
	before, err := schema.Up(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return before
}

func wantVersion(t *testing.T, url string, want uint) {
	t.Helper()
	at, err := schema.Current(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if at != (schema.Version{Number: want}) {
		t.Errorf("the schema stands at %+v, want %d", at, want)
	}
}

// definitions returns the statements that would make the tables as they are.
func definitions(t *testing.T, conn clickhouse.Conn) []string {
	t.Helper()
	return list(t, conn, `
SELECT arraySort(groupArray(create_table_query))
FROM system.tables
WHERE database = currentDatabase()`)
}
