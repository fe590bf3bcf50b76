package stats_test

import "testing"

// That an answer belongs to one moment rests on this: what a statement reads is settled when ClickHouse has sent the
// names of its columns, in every table of it, also those of a set and of the second part of a union, however much later
// they are read.
func TestWhatAStatementReadsIsSettledOnceItHasBegun(t *testing.T) {
	d := newDatabase(t)
	conn := d.conn
	const row = "(n UInt32, version UInt64, is_deleted UInt8) ENGINE = ReplacingMergeTree(version, is_deleted) ORDER BY n"
	d.execute("CREATE TABLE first "+row, "CREATE TABLE second "+row, "CREATE TABLE chosen "+row,
		"INSERT INTO first SELECT number, 1, 0 FROM numbers(4)", "INSERT INTO second VALUES (1, 1, 0)",
		"INSERT INTO chosen SELECT number, 1, 0 FROM numbers(4)")

	// Every row of the first part takes a quarter of a second, and only then is the second part read.
	begun := conn.QueryRow(t.Context(), `
SELECT sum(n), count()
FROM
(
    SELECT n + sleepEachRow(0.25) AS n FROM first FINAL WHERE n IN (SELECT n FROM chosen FINAL)
    UNION ALL
    SELECT n FROM second FINAL
)
SETTINGS max_threads = 1, max_block_size = 1`)
	if err := begun.Err(); err != nil {
		t.Fatal(err)
	}
	d.execute("INSERT INTO first VALUES (0, 2, 1), (10, 2, 0)", "INSERT INTO second VALUES (1, 2, 1), (100, 2, 0)",
		"INSERT INTO chosen VALUES (2, 2, 1), (10, 2, 0)", "OPTIMIZE TABLE second FINAL")
	const underWay = `SELECT count() FROM system.processes WHERE query LIKE '%FROM first FINAL%' AND query NOT LIKE '%system.processes%'`
	var under, sum, count uint64
	if err := conn.QueryRow(t.Context(), underWay).Scan(&under); err != nil || under != 1 {
		t.Fatalf("%d statements are under way (%v), want the one that began", under, err)
	}
	if err := begun.Scan(&sum, &count); err != nil {
		t.Fatal(err)
	}
	if sum != 0+1+2+3+1 || count != 5 {
		t.Errorf("%d rows, of the sum %d: what was written after the statement had begun shows", count, sum)
	}
}
