package buckets

import "slices"

// Numbers is a set of dense numbers that is asked about one number after the other, which a plain bit set answers
// fastest.
type Numbers struct{ words []uint64 }

// NewNumbers returns the numbers of a set.
func NewNumbers(of *Set) *Numbers {
	all := &counter{}
	all.addSet(of)
	return &Numbers{slices.Clone(all.words)}
}

// Bytes returns about how many bytes of memory the numbers take.
func (n *Numbers) Bytes() int64 { return bucketOverhead + wordSize*int64(len(n.words)) }

func (n *Numbers) contains(number uint32) bool {
	word := int(number / wordBits)
	return word < len(n.words) && n.words[word]&(1<<(number%wordBits)) != 0
}
