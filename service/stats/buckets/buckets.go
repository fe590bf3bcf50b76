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

// Bucket is the sums and the sets of records of a bucket of time. It does not change once it is shared.
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

// Grouped is the records of a bucket of time by group. Records that are not grouped are one group. It has no records if
// it is empty.
type Grouped []Group

// Group is the records of a bucket of time that are of one group.
type Group struct {
	Number uint32 // of the group; 0 is none
	*Bucket
}

// Bytes returns about how many bytes of memory the buckets take.
func (g Grouped) Bytes() int64 {
	bytes := int64(bucketOverhead / 2)
	for _, group := range g {
		bytes += wordSize + group.Bucket.Bytes()
	}
	return bytes
}

// Bytes returns about how many bytes of memory the bucket takes.
func (b *Bucket) Bytes() int64 {
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
	numbers  [][]uint32 // of each set; some may come several times
	rows     []seenRows
	overflow bool
}

// NewUnion returns the union of nothing, for records of so many sums and sets.
func NewUnion(sums, sets int) *Union {
	return &Union{sums: make([]uint64, sums), sets: make([][]*Set, sets), numbers: make([][]uint32, sets)}
}

// NewUnions returns so many unions of nothing, in little memory of its own each.
func NewUnions(n, sums, sets int) []Union {
	all := make([]Union, n)
	allSums, allSets, allNumbers := make([]uint64, n*sums), make([][]*Set, n*sets), make([][]uint32, n*sets)
	one := make([]*Set, n*sets) // most slots of a series have one bucket
	for i := range allSets {
		allSets[i] = one[i : i : i+1]
	}
	for i := range all {
		all[i] = Union{
			sums: allSums[i*sums:][:sums:sums], sets: allSets[i*sets:][:sets:sets], numbers: allNumbers[i*sets:][:sets:sets],
		}
	}
	return all
}

// Add adds the records of a bucket.
func (u *Union) Add(b *Bucket) {
	for i, sum := range b.Sums {
		u.addSum(i, sum)
	}
	for i, set := range b.Sets {
		u.sets[i] = append(u.sets[i], set)
	}
}

// AddUnion adds the records of another union, of other records.
func (u *Union) AddUnion(other *Union) {
	for i, sum := range other.sums {
		u.addSum(i, sum)
	}
	for i := range other.sets {
		u.sets[i] = append(u.sets[i], other.sets[i]...)
		u.numbers[i] = append(u.numbers[i], other.numbers[i]...)
	}
	u.rows = append(u.rows, other.rows...)
	u.overflow = u.overflow || other.overflow
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
	if len(u.rows) == 0 && len(u.numbers[set]) == 0 {
		switch sets := u.sets[set]; len(sets) {
		case 0:
			return 0
		case 1:
			return sets[0].count
		}
	}
	c := counters.Get().(*counter)
	defer counters.Put(c)
	for _, numbers := range u.sets[set] {
		c.addSet(numbers)
	}
	for _, number := range u.numbers[set] {
		c.add(number)
	}
	for _, rows := range u.rows {
		rows.addTo(c, set)
	}
	return c.take()
}
