package index

import "math/bits"

// filter is a blocked Bloom filter of hashes (Putze, Sanders, Singler: "Cache-, Hash- and Space-Efficient Bloom
// Filters", 2007): all bits of a hash lie in one cache line. It may report a hash that was never added, never the
// reverse.
type filter struct {
	blocks   []filterBlock
	capacity int // hashes that it can hold before its false answers exceed about one in a thousand
	added    int
}

type filterBlock [8]uint64 // one bit is set in each word

// bitsPerHash makes about one answer in a thousand false, with eight bits a hash, one in each word of a block.
const bitsPerHash = 18

func newFilter(capacity int) *filter {
	return &filter{blocks: make([]filterBlock, capacity*bitsPerHash/(8*64)+1), capacity: capacity}
}

func (f *filter) block(hash uint64) *filterBlock {
	high, _ := bits.Mul64(hash, uint64(len(f.blocks)))
	return &f.blocks[high]
}

// spreadBits makes the low bits, which choose the bits within a block, depend on all of the hash.
func spreadBits(hash uint64) uint64 { return (hash ^ hash>>32) * 0x9e3779b97f4a7c15 }

func (f *filter) add(hash uint64) {
	b, h := f.block(hash), spreadBits(hash)
	for i := range b {
		b[i] |= 1 << (h >> (8 * i) & 63)
	}
	f.added++
}

func (f *filter) has(hash uint64) bool {
	b, h := f.block(hash), spreadBits(hash)
	for i := range b {
		if b[i]&(1<<(h>>(8*i)&63)) == 0 {
			return false
		}
	}
	return true
}

// put adds a hash and reports whether the filter had it.
func (f *filter) put(hash uint64) bool {
	had := f.has(hash)
	if !had {
		f.add(hash)
	}
	return had
}

func (f *filter) full() bool { return f.added >= f.capacity }
