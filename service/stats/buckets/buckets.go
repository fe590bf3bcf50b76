// Package buckets holds figures in memory: sums and sets of dense numbers by bucket of time, the records of short
// intervals as packed columns, and their union, from which distinct things are counted.
//
// All records of one kind have the same sums and sets, in the same order; messages, for example, have the sums of
// cells.Sums and the sets of conversations, users and agents. Number 0 stands for none, and is not counted.
package buckets

import (
	"errors"
	"math/bits"
)

// Bucket is the sums and the sets of all records of a bucket of time. It does not change once it is shared. A nil
// bucket has no records.
type Bucket struct {
	Sums []uint64
	Sets []*Set
}

// Sizes in memory beside what the parts hold themselves: of headers, pointers and their share of a map.
const (
	bucketOverhead = 160
	setOverhead    = 200
	wordSize       = 8
)

// Bytes returns about how many bytes of memory the bucket takes.
func (b *Bucket) Bytes() int64 {
	if b == nil {
		return bucketOverhead / 2
	}
	bytes := int64(bucketOverhead + wordSize*len(b.Sums))
	for _, set := range b.Sets {
		bytes += set.Bytes()
	}
	return bytes
}

// ErrOverflow is returned when a sum does not fit into 64 bits.
var ErrOverflow = errors.New("a sum is greater than 64 bits can hold")

// Union is what buckets and rows have together. The zero value is not ready; use NewUnion.
type Union struct {
	sums     []uint64
	sets     [][]*Set
	rows     []seenRows
	overflow bool
}

// NewUnion returns the union of nothing, for records of so many sums and sets.
func NewUnion(sums, sets int) *Union {
	return &Union{sums: make([]uint64, sums), sets: make([][]*Set, sets)}
}

// Add adds the records of a bucket.
func (u *Union) Add(b *Bucket) {
	if b == nil {
		return
	}
	for i, sum := range b.Sums {
		u.addSum(i, sum)
	}
	for i, set := range b.Sets {
		u.sets[i] = append(u.sets[i], set)
	}
}

func (u *Union) addSum(i int, sum uint64) {
	var carry uint64
	u.sums[i], carry = bits.Add64(u.sums[i], sum, 0)
	u.overflow = u.overflow || carry != 0
}

// Sums returns the sums, or ErrOverflow.
func (u *Union) Sums() ([]uint64, error) {
	if u.overflow {
		return nil, ErrOverflow
	}
	return u.sums, nil
}

// Count returns how many distinct numbers a set has.
func (u *Union) Count(set int) uint64 {
	c := counters.Get().(*counter)
	defer counters.Put(c)
	for _, numbers := range u.sets[set] {
		c.addSet(numbers)
	}
	for _, rows := range u.rows {
		rows.addTo(c, set)
	}
	return c.take()
}
