package clickhouse_test

import (
	"fmt"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

type item struct {
	id, kind string
	at       int64
	words    []string
	odd      bool
}

var itemColumns = clickhouse.Columns[item]{
	clickhouse.Field("id", func(i *item) *string { return &i.id }),
	clickhouse.Text("kind", func(i *item) *string { return &i.kind }),
	clickhouse.Millis("at", func(i *item) *int64 { return &i.at }),
	clickhouse.Field("words", func(i *item) *[]string { return &i.words }),
	clickhouse.Value("odd", func(i *item) uint8 {
		if i.odd {
			return 1
		}
		return 0
	}),
	clickhouse.Expression("odd", func(i *item) *bool { return &i.odd }),
	clickhouse.Constant[item]("batch", uint64(7)),
}

// Rows of several blocks are inserted, and read again by their keys, through one declaration of their columns.
func TestColumnsAreInsertedAndScanned(t *testing.T) {
	conn := open(t, enginetest.Database(t))
	const table = `CREATE TABLE items (batch UInt64, odd UInt8, words Array(String), at DateTime64(3, 'UTC'), kind LowCardinality(String), id String)
ENGINE = MergeTree ORDER BY id`
	if err := conn.Exec(t.Context(), table); err != nil {
		t.Fatal(err)
	}
	rows := make([]item, 20_000)
	for i := range rows {
		rows[i] = item{fmt.Sprint("item", i), fmt.Sprint("kind", i%3), int64(i) - 10_000, []string{"a", fmt.Sprint(i)}, i%2 == 1}
	}
	if err := clickhouse.Insert(t.Context(), conn, "items", rows, itemColumns...); err != nil {
		t.Fatal(err)
	}
	if n, err := clickhouse.Count(t.Context(), conn, "items WHERE batch = 7"); n != 20_000 || err != nil {
		t.Errorf("%d rows were inserted (%v), want 20000", n, err)
	}
	keys := clickhouse.StringKeys("id", []string{"item1", "item19998", "none"})
	var found []string
	err := clickhouse.LookUp(t.Context(), conn, "items", keys,
		"SELECT "+itemColumns.Select()+" FROM items WHERE id IN (SELECT id FROM keys) ORDER BY id", func(scan clickhouse.Scan) error {
			var row item
			err := itemColumns.Scan(scan, &row)
			found = append(found, fmt.Sprint(row))
			return err
		})
	if want := []string{fmt.Sprint(rows[1]), fmt.Sprint(rows[19_998])}; err != nil || fmt.Sprint(found) != fmt.Sprint(want) {
		t.Errorf("found %v (%v), want %v", found, err, want)
	}
}
