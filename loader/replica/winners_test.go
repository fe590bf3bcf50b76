package replica

import (
	"slices"
	"testing"

	"github.com/orgstats/orgstats/loader/record"
)

// Winners are found though all keys have the same hash, and are the same ones as with a hash that tells keys apart.
func TestWinnersAreFoundByKeyWhateverTheHash(t *testing.T) {
	b, same := NewBatch(0), NewBatch(0)
	same.messages.hash = func(string) uint64 { return 1 }
	ids := func(b *Batch) (ids []string) {
		for _, m := range b.messages.list {
			ids = append(ids, m.ID+"/"+m.Role)
		}
		return ids
	}
	for _, batch := range []*Batch{b, same} {
		for _, id := range []string{"a", "b", "c", "b", "d", "c"} {
			batch.Add(&record.Message{Version: record.Version{UpdatedAt: 2}, ID: id, Role: "new"})
		}
		batch.Add(&record.Message{Version: record.Version{UpdatedAt: 3}, ID: "b", Role: "newer"})
		batch.Add(&record.Message{Version: record.Version{UpdatedAt: 1}, ID: "a", Role: "older"})
		batch.Complete(Missing{record.KindMessage: {"c", "unknown"}}, []record.Record{&record.Message{Version: record.Version{UpdatedAt: 2}, ID: "d", Role: "found"}})
		if want := []string{"a/new", "b/newer", "d/found"}; !slices.Equal(ids(batch), want) {
			t.Errorf("the batch holds %q, want %q", ids(batch), want)
		}
		if !batch.messages.has("d") || batch.messages.has("c") {
			t.Error("the batch has what was dropped, or not what was kept")
		}
	}
}
