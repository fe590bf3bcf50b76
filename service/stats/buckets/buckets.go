// Package buckets holds figures in memory: sums and sets of dense numbers by bucket of time, the records of short
// intervals as packed columns, and their union, from which distinct things are counted.
//
// All records of one kind have the same sums and sets, in the same order; messages, for example, have the sums of
// cells.Sums and the sets of conversations, users and agents. Number 0 stands for none, and is not counted.
package buckets

import (
	"errors"
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"
)

// Bucket is the sums and the sets of all records of a bucket of time. It does not change once it is shared. A nil
// bucket has no records.
type Bucket struct {
	Sums []uint64
	Sets []*roaring.Bitmap
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
		bytes += setOverhead + int64(set.GetSizeInBytes())
	}
	return bytes
}

// ErrOverflow is returned when a sum does not fit into 64 bits.
var ErrOverflow = errors.New("a sum is greater than 64 bits can hold")

// Union is what buckets and rows have together. The zero value is not ready; use NewUnion.
type Union struct {
	sums     []uint64
	sets     [][]*roaring.Bitmap
	numbers  [][][]uint32 // of rows, by set; they are shared with the rows
	overflow bool
}

// NewUnion returns the union of nothing, for records of so many sums and sets.
func NewUnion(sums, sets int) *Union {
	return &Union{sums: make([]uint64, sums), sets: make([][]*roaring.Bitmap, sets), numbers: make([][][]uint32, sets)}
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
	all := u.union(set)
	if all.Contains(0) {
		return all.GetCardinality() - 1
	}
	return all.GetCardinality()
}

// union returns the union of a set. It must not be changed.
func (u *Union) union(set int) *roaring.Bitmap {
	bitmaps := u.sets[set]
	if len(u.numbers[set]) > 0 {
		loose := roaring.New()
		for _, numbers := range u.numbers[set] {
			loose.AddMany(numbers)
		}
		bitmaps = append(bitmaps, loose)
	}
	if len(bitmaps) == 1 {
		return bitmaps[0]
	}
	return roaring.FastOr(bitmaps...)
}
