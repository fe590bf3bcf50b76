package replica

import (
	"slices"
	"testing"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
)

func TestTheLastVersionOfAKeyWins(t *testing.T) {
	b := NewBatch(0)
	for _, id := range []string{"a", "b", "c", "b", "d", "c"} {
		b.Add(&record.Message{Version: record.Version{UpdatedAt: 2}, ID: id, Role: "new"})
	}
	b.Add(&record.Message{Version: record.Version{UpdatedAt: 3}, ID: "b", Role: "newer"})
	b.Add(&record.Message{Version: record.Version{UpdatedAt: 1}, ID: "a", Role: "older"})
	b.Complete(Missing{record.KindMessage: {"c", "unknown"}}, []record.Record{&record.Message{Version: record.Version{UpdatedAt: 2}, ID: "d", Role: "found"}})
	var got []string
	for i, m := range b.messages().list {
		got = append(got, m.ID+"/"+m.Role)
		if b.messages().hashes[i] != index.Hash(m.ID) {
			t.Errorf("message %s has the hash of another", m.ID)
		}
	}
	if want := []string{"a/new", "b/newer", "d/found"}; !slices.Equal(got, want) {
		t.Errorf("the batch holds %q, want %q", got, want)
	}
	if !b.messages().has("d") || b.messages().has("c") {
		t.Error("the batch has what was dropped, or not what was kept")
	}
}
