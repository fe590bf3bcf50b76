package schema_test

import (
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// A message counts less than 2^32 of anything, and sums have 64 bits wherever ClickHouse adds up: in tables, and in
// statements over messages, over activity and over cells. So 2^32 messages fit, whatever they have.
func TestSumsHold(t *testing.T) {
	url, conn := start(t)
	up(t, url)
	for _, tt := range []struct{ what, query, types string }{
		{"a message", "SELECT " + cells.SumsOfMessage + " FROM messages", "UInt8 UInt16 UInt32"},
		{"messages", "SELECT " + cells.SumsOfMessages + " FROM messages", "UInt64"},
		{"cells", "SELECT " + cells.SumColumns + " FROM stats_cells", "UInt64"},
		{"sums of cells", "SELECT " + cells.SumsOf("stats_cells") + " FROM stats_cells", "UInt64"},
		{"activity", "SELECT " + cells.SumColumns + " FROM user_activity", "UInt64"},
		{"sums of activity", "SELECT " + cells.SumsOf("user_activity") + " FROM user_activity", "UInt64"},
	} {
		for column, of := range types(t, conn, tt.query) {
			if !strings.Contains(" "+tt.types+" ", " "+of+" ") {
				t.Errorf("%s: %s is %s, not %s", tt.what, column, of, tt.types)
			}
		}
	}

	half := "(4294967295 * 2147483648)::UInt64" // 2^31 messages that count the most
	execute(t, conn, "INSERT INTO user_activity (org_id, user_no, hour, conversation_no, version, input_tokens) "+
		"VALUES ('o', 1, '2026-01-01 00:00:00', 1, 2, "+half+"), ('o', 1, '2026-01-01 01:00:00', 1, 2, "+half+")")
	var sum uint64
	err := conn.QueryRow(t.Context(), "SELECT input_tokens FROM (SELECT "+cells.SumsOf("user_activity")+" FROM user_activity FINAL)").Scan(&sum)
	if want := uint64(4294967295) << 32; err != nil || sum != want {
		t.Errorf("the sum is %d, want %d: %v", sum, want, err)
	}
}

// types returns the types of a query's columns.
func types(t *testing.T, conn clickhouse.Conn, query string) map[string]string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query+" LIMIT 0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	of := map[string]string{}
	for _, column := range rows.ColumnTypes() {
		of[column.Name()] = column.DatabaseTypeName()
	}
	if len(of) != len(cells.Sums) {
		t.Fatalf("%s has the columns %v", query, of)
	}
	return of
}
