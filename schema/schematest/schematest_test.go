package schematest

import (
	"errors"
	"slices"
	"testing"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/schema"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// A second database is as the migrations make it.
func TestDatabasesAreAsMigrated(t *testing.T) {
	_, first := Database(t)
	url, second := Database(t)
	const columns = `
SELECT concat(table, ' ', name, ' ', type, ' ', default_kind, default_expression, ' ', compression_codec, ' ', comment)
FROM system.columns
WHERE database = currentDatabase()
ORDER BY ALL`
	const tables = `
SELECT concat(name, ' ', replaceAll(engine_full, currentDatabase(), ''), ' ', replaceAll(as_select, currentDatabase(), ''), ' ', comment)
FROM system.tables
WHERE database = currentDatabase()
ORDER BY ALL`
	for _, query := range []string{columns, tables} {
		want, err1 := texts(t.Context(), first, query)
		got, err2 := texts(t.Context(), second, query)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if len(want) == 0 || !slices.Equal(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
	}
	at, err := schema.Current(t.Context(), url)
	if err != nil || at != (schema.Version{Number: schema.Latest()}) {
		t.Errorf("the version is %+v, %v", at, err)
	}
}
