package wal

import (
	"encoding/binary"
	"errors"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// ErrShort is a message of the WAL, or of a copy, that ends before all of its parts have come.
var ErrShort = errors.New("the message is incomplete")

// Cursor reads the parts of a message of pgoutput. Texts are views into the message: nothing is copied that is not
// wanted.
type Cursor struct {
	Data []byte
	Err  error
}

// Bytes returns the next n bytes.
func (c *Cursor) Bytes(n int) []byte {
	if n < 0 || n > len(c.Data) {
		c.Err, c.Data = ErrShort, nil
		return nil
	}
	part := c.Data[:n]
	c.Data = c.Data[n:]
	return part
}

func (c *Cursor) byte() byte {
	if b := c.Bytes(1); b != nil {
		return b[0]
	}
	return 0
}

// Uint16 returns the next two bytes as a number.
func (c *Cursor) Uint16() int {
	if b := c.Bytes(2); b != nil {
		return int(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Uint32 returns the next four bytes as a number.
func (c *Cursor) Uint32() uint32 {
	if b := c.Bytes(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// tuple reads a row into values, where slots has the index of each column of the message: -1 is not wanted.
func (c *Cursor) tuple(slots []int, values []source.Value) {
	n := c.Uint16()
	if c.Err == nil && n != len(slots) {
		c.Err = errors.New("a row in the WAL has a different number of columns than its table")
		return
	}
	for i := range n {
		v := source.Value{State: c.byte()}
		if v.State == source.ValueText {
			v.Text = c.Bytes(int(c.Uint32()))
		}
		if place := slots[i]; place >= 0 {
			values[place] = v
		}
	}
}
