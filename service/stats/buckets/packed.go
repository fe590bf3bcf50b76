package buckets

import (
	"math"
	"slices"
)

// packed is a column of numbers in as few bytes as its greatest one needs. One number stands for all where they are
// equal, as they often are.
type packed struct {
	constant uint32
	bytes    []uint8 // at most one of these is not nil
	shorts   []uint16
	words    []uint32
}

func pack(values []uint32) packed {
	greatest, least := slices.Max(values), slices.Min(values)
	switch {
	case greatest == least:
		return packed{constant: greatest}
	case greatest <= math.MaxUint8:
		return packed{bytes: convert[uint8](values)}
	case greatest <= math.MaxUint16:
		return packed{shorts: convert[uint16](values)}
	}
	return packed{words: slices.Clone(values)}
}

type number interface{ uint8 | uint16 | uint32 }

func convert[T number](values []uint32) []T {
	all := make([]T, len(values))
	for i, value := range values {
		all[i] = T(value)
	}
	return all
}

// size returns about how many bytes the numbers take.
func (p packed) size() int64 {
	return int64(len(p.bytes)) + 2*int64(len(p.shorts)) + 4*int64(len(p.words))
}

// at returns a number.
func (p packed) at(i int) uint32 {
	switch {
	case p.bytes != nil:
		return uint32(p.bytes[i])
	case p.shorts != nil:
		return uint32(p.shorts[i])
	case p.words != nil:
		return p.words[i]
	}
	return p.constant
}

// sum returns the sum of the numbers from first until end that are chosen; nil chooses all. Less than 2^32 numbers of
// 32 bits do not overflow it.
func (p packed) sum(first, end int, chosen []bool) uint64 {
	switch {
	case p.bytes != nil:
		return sumOf(p.bytes[first:end], chosen)
	case p.shorts != nil:
		return sumOf(p.shorts[first:end], chosen)
	case p.words != nil:
		return sumOf(p.words[first:end], chosen)
	}
	count := end - first
	if chosen != nil {
		count = 0
		for _, c := range chosen {
			if c {
				count++
			}
		}
	}
	return uint64(p.constant) * uint64(count)
}

func sumOf[T number](values []T, chosen []bool) (sum uint64) {
	if chosen == nil {
		for _, value := range values {
			sum += uint64(value)
		}
		return sum
	}
	for i, value := range values {
		if chosen[i] {
			sum += uint64(value)
		}
	}
	return sum
}
