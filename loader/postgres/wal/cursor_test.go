package wal

import (
	"testing"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// A message that was cut off is an error wherever that is, and never read beyond its end.
func TestTuplesThatAreCutOff(t *testing.T) {
	tuple := []byte{0, 4, 'n', 'u', 't', 0, 0, 0, 2, 'a', 'b', 't', 0, 0, 0, 0}
	for length := range tuple {
		c := &Cursor{Data: tuple[:length]}
		c.tuple([]int{0, 1, -1, 2}, make([]source.Value, 3))
		if c.Err == nil {
			t.Errorf("%d of %d bytes are taken for a row", length, len(tuple))
		}
	}
	values := make([]source.Value, 3)
	c := &Cursor{Data: tuple}
	c.tuple([]int{0, -1, 2, 1}, values)
	if c.Err != nil || values[0].State != source.ValueNull || string(values[2].Text) != "ab" || values[1].State != source.ValueText || len(values[1].Text) != 0 {
		t.Errorf("%v, %+v", c.Err, values)
	}
	c = &Cursor{Data: tuple}
	if c.tuple([]int{0, 1}, values); c.Err == nil {
		t.Error("a row with more columns than its table is taken")
	}
}
