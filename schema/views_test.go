package schema_test

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
)

// The names and types of the views are a promise to those who query them. Who changes testdata/views.txt changes
// docs/sql.md with it, and says so to them.
func TestViewsAreAsPromised(t *testing.T) {
	url, conn := start(t)
	up(t, url)
	promised := strings.Split(strings.TrimSpace(read(t, "testdata/views.txt")), "\n")
	made := slices.Concat(viewColumns(t, conn), windowColumns(t, conn))
	if slices.Sort(made); !slices.Equal(made, promised) {
		t.Errorf("the views are\n%s\n\nand not, as promised,\n%s", strings.Join(made, "\n"), strings.Join(promised, "\n"))
	}
}

// viewColumns returns the columns of the views without parameters, as "view column type".
func viewColumns(t *testing.T, conn clickhouse.Conn) []string {
	t.Helper()
	return list(t, conn, `
SELECT groupArray(concat(table, ' ', name, ' ', type))
FROM system.columns
WHERE database = currentDatabase() AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine = 'View')`)
}

// windowArguments are values of the parameters of views.
var windowArguments = map[string]string{
	"org_id": "", "from": "2026-01-01", "to": "2026-01-01", "interval": "day", "time_zone": "Europe/Berlin", "path": "team",
}

// windowColumns returns those of the views with parameters, and the parameters. ClickHouse describes the columns of a
// call only.
func windowColumns(t *testing.T, conn clickhouse.Conn) (columns []string) {
	t.Helper()
	for _, view := range list(t, conn, `
SELECT groupArray(concat(name, ' ', create_table_query))
FROM system.tables
WHERE database = currentDatabase() AND engine = 'View' AND position(create_table_query, ':String}') > 0`) {
		name, statement, _ := strings.Cut(view, " ")
		arguments := map[string]string{}
		for _, found := range regexp.MustCompile(`\{(\w+):(\w+)\}`).FindAllStringSubmatch(statement, -1) {
			columns = append(columns, name+"("+found[1]+") "+found[2])
			arguments[found[1]] = found[1] + " = '" + windowArguments[found[1]] + "'"
		}
		columns = append(columns, callColumns(t, conn, name, slices.Collect(maps.Values(arguments)))...)
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}

// callColumns returns the columns of a view that is called with arguments.
func callColumns(t *testing.T, conn clickhouse.Conn, name string, arguments []string) (columns []string) {
	t.Helper()
	rows, err := conn.Query(t.Context(), "SELECT * FROM "+name+"("+strings.Join(arguments, ", ")+")")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for i, column := range rows.Columns() {
		columns = append(columns, name+" "+column+" "+rows.ColumnTypes()[i].DatabaseTypeName())
	}
	return columns
}
