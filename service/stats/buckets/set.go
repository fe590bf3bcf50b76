package buckets

import (
	"math/bits"
	"slices"
	"sync"
)

// Set is a set of dense numbers, made to be united with many others and counted. It does not change.
//
// The numbers are divided into blocks of 1024. A block with many numbers is kept as one bit a number, which unites 64
// numbers in one step; the numbers of other blocks are kept one by one. Roaring's blocks of 65536 numbers make lists of
// what is a dense run of a few thousand: the conversations of a day. Uniting those lists took most of the time of an
// answer.
type Set struct {
	blocks []uint32 // that are kept as bits, ascending
	words  []uint64 // blockWords of each of them
	loose  []uint32 // numbers of other blocks, ascending
	count  uint64   // of all but 0
}

const (
	wordBits   = 64
	blockBits  = 1024
	blockWords = blockBits / wordBits
	// denseBlock is the number of numbers from which a block takes fewer bytes as bits.
	denseBlock = blockBits / 8 / numberSize
)

// NewSet returns a set of numbers, which come in order. Some may come twice.
func NewSet(numbers []uint32) *Set {
	s := &Set{}
	s.addNumbers(numbers)
	s.clip()
	return s
}

// addNumbers adds numbers, which come in order, and after those of the blocks that are there.
func (s *Set) addNumbers(numbers []uint32) {
	for len(numbers) > 0 {
		n, block := 0, numbers[0]/blockBits
		var words [blockWords]uint64
		for ; n < len(numbers) && numbers[n]/blockBits == block; n++ {
			words[numbers[n]%blockBits/wordBits] |= 1 << (numbers[n] % wordBits)
		}
		s.addWords(words[:], block*blockBits)
		numbers = numbers[n:]
	}
}

// clip counts the numbers, and removes the spare room.
func (s *Set) clip() {
	s.count = uint64(len(s.loose) + countBits(s.words))
	if s.has0() {
		s.count--
	}
	s.blocks, s.words, s.loose = slices.Clone(s.blocks), slices.Clone(s.words), slices.Clone(s.loose)
}

// addWords adds the numbers of whole blocks, as one bit each, of which the first bit is the first number.
func (s *Set) addWords(words []uint64, first uint32) {
	for ; len(words) > 0; words, first = words[blockWords:], first+blockBits {
		block := words[:blockWords]
		switch count := countBits(block); {
		case count == 0:
		case count < denseBlock:
			s.loose = appendNumbers(s.loose, block, first)
		default:
			s.blocks = append(s.blocks, first/blockBits)
			s.words = append(s.words, block...)
		}
	}
}

// appendNumbers appends the numbers whose bits are set, of which the first bit is the first number.
func appendNumbers(numbers []uint32, words []uint64, first uint32) []uint32 {
	for w, word := range words {
		for ; word != 0; word &= word - 1 {
			numbers = append(numbers, first+uint32(w*wordBits+bits.TrailingZeros64(word)))
		}
	}
	return numbers
}

// has0 reports whether number 0 is in the set.
func (s *Set) has0() bool {
	if len(s.blocks) > 0 && s.blocks[0] == 0 {
		return s.words[0]&1 != 0
	}
	return len(s.loose) > 0 && s.loose[0] == 0
}

// Bytes returns about how many bytes of memory the set takes.
func (s *Set) Bytes() int64 {
	return setOverhead + numberSize*int64(len(s.blocks)+len(s.loose)) + wordSize*int64(len(s.words))
}

// counter unites sets, and counts the numbers. The zero value is ready, and empty.
type counter struct {
	words   []uint64 // a bit a number
	touched []bool   // the blocks that may have numbers
}

var counters = sync.Pool{New: func() any { return &counter{} }}

// reserve makes room for the numbers of a block, which are used.
func (c *counter) reserve(block uint32) {
	if int(block) >= len(c.touched) {
		more := int(block) + 1 - len(c.touched)
		c.touched = append(c.touched, make([]bool, more)...)
		c.words = append(c.words, make([]uint64, more*blockWords)...)
	}
	c.touched[block] = true
}

func (c *counter) addSet(s *Set) {
	for i, block := range s.blocks {
		c.reserve(block)
		to, from := c.words[int(block)*blockWords:][:blockWords], s.words[i*blockWords:][:blockWords]
		for w, word := range from {
			to[w] |= word
		}
	}
	for _, number := range s.loose {
		c.add(number)
	}
}

func (c *counter) add(number uint32) {
	c.reserve(number / blockBits)
	c.words[number/wordBits] |= 1 << (number % wordBits)
}

// take returns how many numbers but 0 there are, and removes them.
func (c *counter) take() (count uint64) {
	if len(c.words) > 0 {
		c.words[0] &^= 1
	}
	for block, touched := range c.touched {
		if !touched {
			continue
		}
		words := c.words[block*blockWords:][:blockWords]
		count += uint64(countBits(words))
		clear(words)
		c.touched[block] = false
	}
	return count
}
