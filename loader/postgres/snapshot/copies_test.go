package snapshot

import (
	"testing"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
)

// A copy has rows that the log deletes while it goes on.
func TestDeletedRowsDoNotComeBack(t *testing.T) {
	tables := []*source.Table{{}}
	tables[0].Schema, tables[0].Name = "public", "message"
	c := &Copies{deleted: map[wal.RowKey]uint64{}, truncated: map[string]uint64{}}
	c.NoteDeletions(&wal.Changes{Deleted: []wal.RowKey{{Table: "public.message", Key: "m1"}}, Position: 50})
	for _, row := range []struct {
		reason, key string
		position    uint64
		want        bool
	}{
		{"deleted after the snapshot", "m1", 49, true},
		{"deleted before it: it was made again", "m1", 50, false},
		{"another row", "m2", 49, false},
	} {
		if got := c.IsDeleted(tables[0], row.key, row.position); got != row.want {
			t.Errorf("%s: %v", row.reason, got)
		}
	}
	c.NoteDeletions(&wal.Changes{Truncated: tables, Position: 60})
	if !c.IsDeleted(tables[0], "m2", 59) || c.IsDeleted(tables[0], "m2", 60) {
		t.Error("an emptied table has rows of before, or none of after")
	}
}
