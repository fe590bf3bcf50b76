package buckets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
)

// The portable format of Roaring bitmaps (github.com/RoaringBitmap/RoaringFormatSpec): containers of 65,536 numbers
// each, as a list, as one bit a number, or as runs.
//
// It is decoded here, because roaring's Validate compares each run with all before it: that alone was two thirds of a
// cold answer about a year. All integers are little-endian.
const (
	cookieWithRuns    = 12347 // in the lower 16 bits; the upper ones have the number of containers less 1
	cookieWithoutRuns = 12346 // the number of containers follows
	maxContainers     = 1 << 16
	fewContainers     = 4 // fewer of them have no offsets, where there are runs
	maxListed         = 4096
	containerNumbers  = 1 << 16
	containerWords    = containerNumbers / wordBits
)

// container is what the header says of one.
type container struct {
	key   uint16 // the upper 16 bits of its numbers
	count int
	runs  bool
}

// addPortable adds the numbers of a bitmap, which is all of the content.
func (s *Set) addPortable(content []byte) error {
	r := &reader{rest: content}
	containers, err := readHeader(r, len(content))
	if err != nil {
		return err
	}
	var words [containerWords]uint64
	for _, c := range containers {
		if err := s.addContainer(c, r, &words); err != nil {
			return fmt.Errorf("container %d: %w", c.key, err)
		}
	}
	if len(r.rest) > 0 {
		return fmt.Errorf("%d bytes follow the bitmap", len(r.rest))
	}
	return nil
}

// readHeader reads the header of a bitmap of a size in bytes.
func readHeader(r *reader, size int) (containers []container, err error) {
	count, runs, err := readCookie(r)
	if err != nil {
		return nil, err
	}
	for n := range count {
		key, numbers := r.uint16(), int(r.uint16())+1
		if n > 0 && key <= containers[n-1].key {
			return nil, errors.New("the containers are not in order")
		}
		hasRuns := len(runs) > 0 && runs[n/8]&(1<<(n%8)) != 0
		containers = append(containers, container{key, numbers, hasRuns})
		if r.ended {
			return nil, errEnded
		}
	}
	if len(runs) == 0 || count >= fewContainers {
		return containers, checkOffsets(r, containers, size)
	}
	return containers, nil
}

// readCookie reads how many containers there are, and which of them have runs, by bits; none where no bitmap of it has.
func readCookie(r *reader) (count int, runs []byte, err error) {
	switch cookie := r.uint32(); {
	case cookie&0xffff == cookieWithRuns:
		count = int(cookie>>16) + 1
		runs = r.bytes((count + 7) / 8)
	case cookie == cookieWithoutRuns:
		count = int(r.uint32())
	default:
		return 0, nil, errors.New("it is no bitmap in Roaring's portable format")
	}
	if count > maxContainers {
		return 0, nil, fmt.Errorf("it has %d containers", count)
	}
	if r.ended {
		return 0, nil, errEnded
	}
	return count, runs, nil
}

// checkOffsets reads where the containers begin, and checks it as far as they have a size that is known.
func checkOffsets(r *reader, containers []container, size int) error {
	known := size - len(r.rest) + numberSize*len(containers) // where the next one must begin; -1: after runs
	for _, c := range containers {
		offset := r.uint32()
		if known >= 0 && int(offset) != known {
			return fmt.Errorf("container %d begins at %d, not at %d", c.key, offset, known)
		}
		switch {
		case c.runs:
			known = -1
		case c.count > maxListed:
			known = int(offset) + containerNumbers/8
		default:
			known = int(offset) + 2*c.count
		}
	}
	if r.ended {
		return errEnded
	}
	return nil
}

var errEnded = errors.New("it ends too early")

// addContainer adds the numbers of a container. The words are room for its bits, and empty before and after.
func (s *Set) addContainer(c container, r *reader, words *[containerWords]uint64) error {
	first := uint32(c.key) * containerNumbers
	if !c.runs && c.count <= maxListed {
		return s.addList(c.count, first, r)
	}
	if c.runs {
		if err := readRuns(r, words); err != nil {
			return err
		}
	} else {
		for i := range words {
			words[i] = r.uint64()
		}
	}
	if got := countBits(words[:]); r.ended || got != c.count {
		return fmt.Errorf("it has %d numbers of %d", got, c.count)
	}
	s.addWords(words[:], first)
	clear(words[:])
	return nil
}

// addList adds a list of numbers, which count from the first.
func (s *Set) addList(count int, first uint32, r *reader) error {
	numbers := make([]uint32, count)
	for i := range numbers {
		numbers[i] = first + uint32(r.uint16())
		if i > 0 && numbers[i] <= numbers[i-1] {
			return errors.New("its numbers are not in order")
		}
	}
	if r.ended {
		return errEnded
	}
	s.addNumbers(numbers)
	return nil
}

// readRuns reads runs, each of which has its first number, and its length less 1.
func readRuns(r *reader, words *[containerWords]uint64) error {
	next := 0
	for range r.uint16() {
		first := int(r.uint16())
		last := first + int(r.uint16())
		if r.ended {
			return errEnded
		}
		if first < next || last >= containerNumbers {
			return fmt.Errorf("a run is from %d to %d, after one until %d", first, last, next)
		}
		setBits(words, first, last)
		next = last + 1
	}
	return nil
}

// setBits sets the bits from the first to the last.
func setBits(words *[containerWords]uint64, first, last int) {
	from, to := first/wordBits, last/wordBits
	head := ^uint64(0) << (first % wordBits)
	tail := ^uint64(0) >> (wordBits - 1 - last%wordBits)
	if from == to {
		words[from] |= head & tail
		return
	}
	words[from] |= head
	for i := from + 1; i < to; i++ {
		words[i] = ^uint64(0)
	}
	words[to] |= tail
}

// reader reads integers. Once the bytes end, it returns 0.
type reader struct {
	rest  []byte
	ended bool
}

// bytes returns the next bytes, which may be fewer at the end.
func (r *reader) bytes(n int) []byte {
	if len(r.rest) < n {
		r.ended, r.rest = true, nil
		return nil
	}
	bytes := r.rest[:n]
	r.rest = r.rest[n:]
	return bytes
}

func (r *reader) uint16() uint16 {
	if b := r.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if b := r.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func countBits(words []uint64) (count int) {
	for _, word := range words {
		count += bits.OnesCount64(word)
	}
	return count
}
