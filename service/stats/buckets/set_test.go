package buckets_test

import (
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

// Sets of any shape, lists and runs of numbers among them, are united and counted as Roaring does it.
func TestSetsAreUnited(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	for range 300 {
		u, want := buckets.NewUnion(0, 1), roaring.New()
		for range r.IntN(6) {
			set := randomSet(r)
			want.Or(set)
			u.Add(bucketOfSets(nil, []*roaring.Bitmap{set}))
		}
		want.Remove(0) // stands for none
		if got := u.Count(0); got != want.GetCardinality() {
			t.Fatalf("%d numbers, want %d: %v", got, want.GetCardinality(), want)
		}
	}
}

// randomSet returns numbers below about a million: alone, and in runs of which some are missing, some of which begin
// with a block.
func randomSet(r *rand.Rand) *roaring.Bitmap {
	set := roaring.New()
	for range r.IntN(4) {
		first, length, missing := uint64(r.Uint32N(1_000_000)), uint64(r.Uint32N(5000)), r.IntN(40)
		if r.IntN(3) == 0 {
			first -= first % 1024
		}
		set.AddRange(first, first+length)
		for range missing {
			set.Remove(uint32(first + r.Uint64N(length+1)))
		}
	}
	for range r.IntN(200) {
		set.Add(r.Uint32N(1_000_000))
	}
	return set
}
