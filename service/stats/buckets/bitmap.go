package buckets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// The kinds of states of ClickHouse's aggregate function groupBitmap, by their first byte.
const (
	smallState = 0 // a varint that counts the numbers, and then these, 4 bytes each, little-endian, in any order
	largeState = 1 // a varint that counts the bytes, and then these, a bitmap in the portable format of Roaring
)

// numberSize is the size of a number in a small state.
const numberSize = 4

var errDamaged = errors.New("a state of groupBitmap is damaged")

// DecodeBitmap decodes a state of ClickHouse's groupBitmap over UInt32, as toString returns it. It returns an error for
// anything that is not exactly one state.
func DecodeBitmap(state []byte) (*Set, error) {
	if len(state) == 0 {
		return nil, fmt.Errorf("%w: it is empty", errDamaged)
	}
	size, length := binary.Uvarint(state[1:])
	if length <= 0 {
		return nil, fmt.Errorf("%w: it does not say how long it is", errDamaged)
	}
	content := state[1+length:]
	switch state[0] {
	case smallState:
		return decodeSmall(content, size)
	case largeState:
		return decodeLarge(content, size)
	}
	return nil, fmt.Errorf("%w: it is of kind %d, which is not known", errDamaged, state[0])
}

func decodeSmall(content []byte, count uint64) (*Set, error) {
	if uint64(len(content))/numberSize != count || len(content)%numberSize != 0 {
		return nil, fmt.Errorf("%w: it has %d bytes for %d numbers", errDamaged, len(content), count)
	}
	numbers := make([]uint32, count)
	for i := range numbers {
		numbers[i] = binary.LittleEndian.Uint32(content[i*numberSize:])
	}
	slices.Sort(numbers)
	if len(slices.Compact(numbers)) != len(numbers) {
		return nil, fmt.Errorf("%w: it has a number twice", errDamaged)
	}
	return NewSet(numbers), nil
}

func decodeLarge(content []byte, size uint64) (*Set, error) {
	if uint64(len(content)) != size {
		return nil, fmt.Errorf("%w: it has %d bytes of %d", errDamaged, len(content), size)
	}
	s := &Set{}
	if err := s.addPortable(content); err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	s.clip()
	return s, nil
}
