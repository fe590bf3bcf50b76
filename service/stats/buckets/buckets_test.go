package buckets_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

type record struct {
	time            int64
	numbers, values []uint32
}

const start = 1_700_000_000_000

// Buckets, rows and any filter of them give what counting the records one by one gives.
func TestUnionCountsRecords(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		records := randomRecords(r)
		rows := rowsOf(t, records)
		from, until := start+r.Int64N(1100)-50, start+r.Int64N(1100)-50
		filters := randomFilters(r)
		u := buckets.NewUnion(2, 2)
		if r.IntN(2) == 0 {
			u.AddRows(rows, from, until, filters.of)
		} else {
			addRowsBy(t, u, rows, from, until, filters.of)
		}
		var bucket []record
		if r.IntN(2) == 0 {
			bucket = randomRecords(r)
			u.Add(bucketOf(bucket))
		}
		sums, distinct := make([]uint64, 2), []map[uint32]bool{{}, {}}
		count := func(x record) {
			for i := range sums {
				sums[i] += uint64(x.values[i])
				if x.numbers[i] != 0 {
					distinct[i][x.numbers[i]] = true
				}
			}
		}
		for _, x := range records {
			if from <= x.time && x.time < until && filters.meets(x) {
				count(x)
			}
		}
		for _, x := range bucket {
			count(x)
		}
		got, err := u.Sums()
		if err != nil {
			t.Fatal(err)
		}
		for i := range sums {
			if got[i] != sums[i] || u.Count(i) != uint64(len(distinct[i])) {
				t.Fatalf("sum %d is %d, want %d; %d distinct numbers, want %d", i, got[i], sums[i], u.Count(i), len(distinct[i]))
			}
		}
	}
}

// addRowsBy adds the records to a union by way of unions by their number in the second set, which have only that.
func addRowsBy(t *testing.T, u *buckets.Union, rows *buckets.Rows, from, until int64, filters []buckets.Filter) {
	t.Helper()
	by := map[uint32]*buckets.Union{}
	rows.AddRowsBy(1, from, until, filters, func(number uint32) *buckets.Union {
		if by[number] == nil {
			by[number] = buckets.NewUnion(2, 2)
		}
		return by[number]
	})
	for number, one := range by {
		if want := uint64(min(number, 1)); one.Count(1) != want {
			t.Errorf("the records of number %d have %d numbers, want %d", number, one.Count(1), want)
		}
		u.AddUnion(one)
	}
}

func randomRecords(r *rand.Rand) (records []record) {
	at := int64(start)
	for range r.IntN(60) {
		at += r.Int64N(30)
		value := uint32(7) // of all of some columns
		if r.IntN(2) == 0 {
			value = r.Uint32()
		}
		records = append(records, record{at, []uint32{r.Uint32N(20), r.Uint32N(200_000)}, []uint32{value, 1}})
	}
	return records
}

func rowsOf(t *testing.T, records []record) *buckets.Rows {
	t.Helper()
	b := buckets.NewBuilder(start, 2, 2)
	for _, x := range records {
		if err := b.Append(x.time, x.numbers, x.values); err != nil {
			t.Fatal(err)
		}
	}
	rows := b.Rows()
	if rows.Len() != len(records) || rows.Bytes() <= 0 {
		t.Errorf("%d rows in %d bytes of %d records", rows.Len(), rows.Bytes(), len(records))
	}
	return rows
}

func bucketOf(records []record) *buckets.Bucket {
	sums, sets := make([]uint64, 2), []*roaring.Bitmap{roaring.New(), roaring.New()}
	for _, x := range records {
		for i := range sums {
			sums[i] += uint64(x.values[i])
			sets[i].Add(x.numbers[i])
		}
	}
	return bucketOfSets(sums, sets)
}

func bucketOfSets(sums []uint64, sets []*roaring.Bitmap) *buckets.Bucket {
	b := &buckets.Bucket{Sums: sums}
	for _, set := range sets {
		b.Sets = append(b.Sets, buckets.NewSet(set.ToArray()))
	}
	return b
}

type someFilters struct {
	of    []buckets.Filter
	meets func(record) bool
}

func randomFilters(r *rand.Rand) someFilters {
	number := r.Uint32N(20)
	among := roaring.New()
	for range r.IntN(15) {
		among.Add(r.Uint32N(20))
	}
	one, some := buckets.Filter{Set: 0, Number: number}, buckets.Filter{Set: 0, Among: buckets.NewNumbers(buckets.NewSet(among.ToArray()))}
	switch r.IntN(4) {
	case 0:
		return someFilters{[]buckets.Filter{one}, func(x record) bool { return x.numbers[0] == number }}
	case 1:
		return someFilters{[]buckets.Filter{some}, func(x record) bool { return among.Contains(x.numbers[0]) }}
	case 2:
		return someFilters{[]buckets.Filter{one, some}, func(x record) bool { return x.numbers[0] == number && among.Contains(number) }}
	}
	return someFilters{nil, func(record) bool { return true }}
}

func TestSumsDoNotOverflowInSilence(t *testing.T) {
	u := buckets.NewUnion(1, 0)
	u.Add(&buckets.Bucket{Sums: []uint64{math.MaxUint64 - 1}})
	u.Add(&buckets.Bucket{Sums: []uint64{1}})
	if sums, err := u.Sums(); err != nil || sums[0] != math.MaxUint64 {
		t.Errorf("got %v, %v", sums, err)
	}
	u.Add(&buckets.Bucket{Sums: []uint64{1}})
	if _, err := u.Sums(); !errors.Is(err, buckets.ErrOverflow) {
		t.Errorf("got %v, want the overflow", err)
	}
}

func TestRowsComeInOrder(t *testing.T) {
	b := buckets.NewBuilder(start, 1, 1)
	one := []uint32{1}
	for _, time := range []int64{start - 1, start + math.MaxUint32 + 1} {
		if err := b.Append(time, one, one); err == nil {
			t.Errorf("a record at %d is in the interval from %d", time, start)
		}
	}
	if err := errors.Join(b.Append(start+5, one, one), b.Append(start+5, one, one)); err != nil {
		t.Error(err)
	}
	if err := b.Append(start+4, one, one); err == nil {
		t.Error("a record may come before the one before")
	}
}
