package postgres

import (
	"encoding/binary"
	"errors"
)

var errShort = errors.New("a message of the log ends too early")

// cursor reads the parts of a message of pgoutput. Texts are views into the message: nothing is copied that is not
// wanted.
type cursor struct {
	data []byte
	err  error
}

func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > len(c.data) {
		c.err, c.data = errShort, nil
		return nil
	}
	part := c.data[:n]
	c.data = c.data[n:]
	return part
}

func (c *cursor) byte() byte {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) uint16() int {
	if b := c.bytes(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) uint32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// tuple reads a row into values, of which slots tells the place of each column of the message: -1 is not wanted.
func (c *cursor) tuple(slots []int, values []value) {
	n := c.uint16()
	if c.err == nil && n != len(slots) {
		c.err = errors.New("a row of the log has another number of columns than its table")
		return
	}
	for i := range n {
		v := value{state: c.byte()}
		if v.state == valueText {
			v.text = c.bytes(int(c.uint32()))
		}
		if place := slots[i]; place >= 0 {
			values[place] = v
		}
	}
}
