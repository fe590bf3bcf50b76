package buckets

import (
	"fmt"
	"math"
	"slices"
)

// Rows are records one by one, sorted by time, as packed columns. They do not change once they are shared. Nil rows
// have no records.
//
// Records share their numbers: the messages of a conversation have the same conversation, user and agent. So each
// combination of numbers is stored once, and a record refers to it.
type Rows struct {
	start        int64    // what times count from, in milliseconds since 1970 UTC
	times        []uint32 // milliseconds after start, ascending
	combinations [][]uint32
	combination  packed // of each record
	values       []packed
}

// Builder builds rows from records that come in the order of their times.
type Builder struct {
	start        int64
	times        []uint32
	known        map[combination]uint32
	combinations [][]uint32
	combination  []uint32
	values       [][]uint32
}

// maxSets is how many sets records may have.
const maxSets = 3

type combination [maxSets]uint32

// NewBuilder returns a builder for records of so many sets, at most 3, and sums, which lie less than 2^32 milliseconds
// after start.
func NewBuilder(start int64, sets, sums int) *Builder {
	return &Builder{
		start: start, known: map[combination]uint32{}, combinations: make([][]uint32, sets), values: make([][]uint32, sums),
	}
}

// Append adds a record: its time in milliseconds since 1970 UTC, its number in every set and its share of every sum. It
// fails if the record does not follow the one before.
func (b *Builder) Append(time int64, numbers, values []uint32) error {
	offset := time - b.start
	if last := len(b.times) - 1; offset < 0 || offset > math.MaxUint32 || last >= 0 && offset < int64(b.times[last]) {
		return fmt.Errorf("a record of time %d comes out of order", time)
	}
	b.times = append(b.times, uint32(offset))
	b.combination = append(b.combination, b.combinationOf(numbers))
	for sum, value := range values {
		b.values[sum] = append(b.values[sum], value)
	}
	return nil
}

func (b *Builder) combinationOf(numbers []uint32) uint32 {
	var key combination
	copy(key[:], numbers)
	i, ok := b.known[key]
	if !ok {
		i = uint32(len(b.known))
		b.known[key] = i
		for set, number := range numbers {
			b.combinations[set] = append(b.combinations[set], number)
		}
	}
	return i
}

// Rows returns the rows of the records, nil of none.
func (b *Builder) Rows() *Rows {
	if len(b.times) == 0 {
		return nil
	}
	r := &Rows{start: b.start, times: slices.Clone(b.times), combination: pack(b.combination)}
	for _, numbers := range b.combinations {
		r.combinations = append(r.combinations, slices.Clone(numbers))
	}
	for _, values := range b.values {
		r.values = append(r.values, pack(values))
	}
	return r
}

// rowsOverhead is the size of rows beside their columns.
const rowsOverhead = 1024

// Bytes returns about how many bytes of memory the rows take.
func (r *Rows) Bytes() int64 {
	if r == nil {
		return bucketOverhead / 2
	}
	bytes := rowsOverhead + numberSize*int64(len(r.times)) + r.combination.size()
	for _, numbers := range r.combinations {
		bytes += numberSize * int64(len(numbers))
	}
	for _, values := range r.values {
		bytes += values.size()
	}
	return bytes
}

// Filter is a condition on records: the number of a set is this one, or one of these.
type Filter struct {
	Set    int
	Number uint32
	Among  *Numbers // nil: the number itself
}

func (f Filter) meets(number uint32) bool {
	if f.Among != nil {
		return f.Among.contains(number)
	}
	return number == f.Number
}

// AddRows adds the records of an interval, from <= t < until in milliseconds since 1970 UTC, that meet all filters.
func (u *Union) AddRows(r *Rows, from, until int64, filters []Filter) {
	if r == nil {
		return
	}
	first, end := r.position(from), r.position(until)
	if first >= end {
		return
	}
	seen := make([]bool, len(r.combinations[0]))
	chosen := r.choose(first, end, filters, seen)
	for i, values := range r.values {
		u.addSum(i, values.sum(first, end, chosen))
	}
	u.rows = append(u.rows, seenRows{r, seen})
}

// AddRowsBy adds the records of an interval that meet all filters by their number in a set: to the union that is
// returned for it.
func (r *Rows) AddRowsBy(set int, from, until int64, filters []Filter, union func(number uint32) *Union) {
	if r == nil {
		return
	}
	first, end := r.position(from), r.position(until)
	if first >= end {
		return
	}
	meet, seen := r.meeting(filters), make([]bool, len(r.combinations[0]))
	sums := make([]uint64, len(seen)*len(r.values)) // of each combination; fewer than 2^32 numbers of 32 bits fit
	for i := first; i < end; i++ {
		c := int(r.combination.at(i))
		if !meet[c] {
			continue
		}
		seen[c] = true
		for n, values := range r.values {
			sums[c*len(r.values)+n] += uint64(values.at(i))
		}
	}
	for c, ok := range seen {
		if ok {
			union(r.combinations[set][c]).addCombination(r, c, sums[c*len(r.values):][:len(r.values)])
		}
	}
}

// addCombination adds records that have the same numbers.
func (u *Union) addCombination(r *Rows, c int, sums []uint64) {
	for i, sum := range sums {
		u.addSum(i, sum)
	}
	for i, numbers := range r.combinations {
		u.numbers[i] = append(u.numbers[i], numbers[c])
	}
}

// seenRows are the combinations that some of the rows have.
type seenRows struct {
	*Rows
	seen []bool
}

func (r seenRows) addTo(c *counter, set int) {
	for i, number := range r.combinations[set] {
		if r.seen[i] {
			c.add(number)
		}
	}
}

// position returns the first record at a time or later.
func (r *Rows) position(time int64) int {
	offset := time - r.start
	n, _ := slices.BinarySearchFunc(r.times, offset, func(at uint32, offset int64) int {
		if int64(at) < offset {
			return -1
		}
		return 1
	})
	return n
}

// choose returns which of the records from first until end meet the filters, nil for all, and notes the combinations of
// these as seen.
func (r *Rows) choose(first, end int, filters []Filter, seen []bool) (chosen []bool) {
	if len(filters) == 0 {
		for i := first; i < end; i++ {
			seen[r.combination.at(i)] = true
		}
		return nil
	}
	meet := r.meeting(filters)
	chosen = make([]bool, end-first)
	for i := range chosen {
		if c := r.combination.at(first + i); meet[c] {
			chosen[i], seen[c] = true, true
		}
	}
	return chosen
}

// meeting returns which combinations meet all filters.
func (r *Rows) meeting(filters []Filter) []bool {
	meet := make([]bool, len(r.combinations[0]))
	for i := range meet {
		meet[i] = true
		for _, filter := range filters {
			meet[i] = meet[i] && filter.meets(r.combinations[filter.Set][i])
		}
	}
	return meet
}
