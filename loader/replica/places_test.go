package replica

import (
	"math/rand/v2"
	"testing"
)

// Places are those that a map would tell, of hashes that come again, too, and of many more than there was room for.
func TestPlacesAreThoseOfAMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, room := range []int{0, 10, 5000} {
		want := map[uint64]int32{}
		var list []uint64
		p := newPlaces(room)
		for range 5000 {
			hash := random.Uint64N(3000) << random.UintN(60)
			first, taken := want[hash]
			if place, found := p.find(hash, list); found != taken || taken && place != first {
				t.Fatalf("hash %d of %d is at %d (%v), want %d (%v)", hash, len(list), place, found, first, taken)
			}
			if !taken {
				want[hash] = int32(len(list))
			}
			list = append(list, hash)
			p.addLast(list)
		}
	}
}
