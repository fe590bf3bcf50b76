package replica

import (
	"math/bits"
	"math/rand/v2"
)

// places finds where in a list of hashes a hash stands. It is a table of places with open addressing and linear probing
// (Knuth, The Art of Computer Programming, volume 3, 6.4): of a batch's hashes it fits in a processor's cache, where a
// map, which holds them again, does not.
type places struct {
	table  []int32 // place + 1; 0: free. As long as a power of two, at most three quarters of it taken
	spread uint64  // odd, and another in every run, so that nobody can make hashes that meet
	shift  int
}

func newPlaces(room int) places {
	size := 1 << bits.Len(uint(room+room/2+8))
	return places{table: make([]int32, size), spread: rand.Uint64() | 1, shift: 64 - bits.TrailingZeros(uint(size))}
}

// find tells the place of a hash, and whether it is in the list.
func (p *places) find(hash uint64, list []uint64) (place int32, taken bool) {
	slot := p.slot(hash, list)
	return p.table[slot] - 1, p.table[slot] != 0
}

// slot is where the place of a hash is in the table, or would be.
func (p *places) slot(hash uint64, list []uint64) uint64 {
	slot := hash * p.spread >> p.shift
	for p.table[slot] != 0 && list[p.table[slot]-1] != hash {
		slot = (slot + 1) & uint64(len(p.table)-1)
	}
	return slot
}

// addLast takes in the last hash of the list, unless it is there already.
func (p *places) addLast(list []uint64) {
	if len(list)*4 > len(p.table)*3 {
		*p = newPlaces(2 * len(list))
		for i := range list {
			p.addLast(list[:i+1])
		}
		return
	}
	last := len(list) - 1
	if slot := p.slot(list[last], list); p.table[slot] == 0 {
		p.table[slot] = int32(last + 1)
	}
}
