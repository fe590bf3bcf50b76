package schema_test

import (
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

// windowColumns returns those of figures_in_window, and its parameters. ClickHouse describes the columns of a call
// only.
func windowColumns(t *testing.T, conn clickhouse.Conn) (columns []string) {
	t.Helper()
	for _, statement := range list(t, conn, `
SELECT groupArray(create_table_query)
FROM system.tables
WHERE database = currentDatabase() AND name = 'figures_in_window'`) {
		for _, found := range regexp.MustCompile(`\{(\w+):(\w+)\}`).FindAllStringSubmatch(statement, -1) {
			columns = append(columns, "figures_in_window("+found[1]+") "+found[2])
		}
	}
	rows, err := conn.Query(t.Context(), "SELECT * FROM figures_in_window(org_id = '', from = '2026-01-01', to = '2026-01-01')")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for i, name := range rows.Columns() {
		columns = append(columns, "figures_in_window "+name+" "+rows.ColumnTypes()[i].DatabaseTypeName())
	}
	slices.Sort(columns)
	return slices.Compact(columns)
}
