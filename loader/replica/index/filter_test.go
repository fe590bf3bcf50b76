package index

import (
	"math/rand/v2"
	"testing"
)

func TestFilterKnowsWhatWasAdded(t *testing.T) {
	const n = 200_000
	f := newFilter(n)
	random := rand.New(rand.NewPCG(1, 2))
	added := make([]uint64, n)
	for i := range added {
		added[i] = random.Uint64()
		f.add(added[i])
	}
	for _, hash := range added {
		if !f.has(hash) {
			t.Fatalf("the filter forgot %x", hash)
		}
	}
	wrong := 0
	for range n {
		if f.has(random.Uint64()) {
			wrong++
		}
	}
	if wrong > n/200 {
		t.Errorf("%d of %d hashes that were never added pass, want at most one in 200", wrong, n)
	}
	t.Logf("%d of %d pass wrongly", wrong, n)
}
