package buckets

import "slices"

// Len returns the number of records.
func (r *Rows) Len() int {
	if r == nil {
		return 0
	}
	return len(r.times)
}

// Numbers returns all numbers, in order.
func (s *Set) Numbers() (numbers []uint32) {
	for i, block := range s.blocks {
		numbers = appendNumbers(numbers, s.words[i*blockWords:][:blockWords], block*blockBits)
	}
	numbers = append(numbers, s.loose...)
	slices.Sort(numbers)
	return numbers
}
