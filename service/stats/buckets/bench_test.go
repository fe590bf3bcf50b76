package buckets_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

// BenchmarkUnion unites what a ragged window of some months has of an organization with 24 million messages a year.
func BenchmarkUnion(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	bucket := func(conversations, users int) *buckets.Bucket {
		sets := []*roaring.Bitmap{roaring.New(), roaring.New(), roaring.New()}
		from := r.Uint32N(2_000_000)
		for range conversations {
			sets[0].Add(from + r.Uint32N(uint32(2*conversations)))
			sets[2].Add(r.Uint32N(200))
		}
		for range users {
			sets[1].Add(r.Uint32N(20_000))
		}
		return bucketOfSets(make([]uint64, 7), sets)
	}
	var all []*buckets.Bucket
	for range 10 {
		all = append(all, bucket(200_000, 18_000))
	}
	for range 58 {
		all = append(all, bucket(6000, 5000))
	}
	for range 46 {
		all = append(all, bucket(300, 300))
	}
	builder := buckets.NewBuilder(start, 3, 7)
	for i := range 3400 {
		c := uint32(i/10) + r.Uint32N(10)
		_ = builder.Append(start+int64(i)*1000, []uint32{c, c % 300, c % 200}, []uint32{1, r.Uint32N(3), r.Uint32N(9000), r.Uint32N(900), r.Uint32N(9900), r.Uint32N(2), 0})
	}
	rows := builder.Rows()
	b.Run(fmt.Sprintf("%d bytes a row", rows.Bytes()/int64(rows.Len())), func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			u := buckets.NewUnion(7, 3)
			for _, bucket := range all {
				u.Add(bucket)
			}
			for range 2 {
				u.AddRows(rows, start+600_000, start+2_400_000, nil)
			}
			for set := range 3 {
				u.Count(set)
			}
		}
	})
}

// BenchmarkDecodeBitmap decodes the conversations of a month, most of whose numbers follow each other.
func BenchmarkDecodeBitmap(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	month := roaring.New()
	for range 200_000 {
		month.Add(2_000_000 + r.Uint32N(260_000))
	}
	month.RunOptimize()
	content, err := month.ToBytes()
	if err != nil {
		b.Fatal(err)
	}
	state := append(binary.AppendUvarint([]byte{1}, uint64(len(content))), content...)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := buckets.DecodeBitmap(state); err != nil {
			b.Fatal(err)
		}
	}
}
