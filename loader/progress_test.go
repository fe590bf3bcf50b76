package loader

import (
	"testing"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// What is still to come is like what came: of a compressed file by how much it unpacked to so far.
func TestWhatRemainsIsEstimatedFromWhatCame(t *testing.T) {
	b := batch{Batch: replica.NewBatch(0), bytes: 4_000}
	for _, id := range []string{"a", "b", "c", "d"} {
		b.Add(&record.Message{ID: id})
	}
	for _, c := range []struct {
		name             string
		size, read, line int64 // bytes of the files, of them that were read, and of the lines in those
		want             int
	}{
		{"a plain file", 100_000, 10_000, 10_000, 96},
		{"a compressed file", 10_000, 1_000, 10_000, 96},
		{"the end", 4_000, 4_000, 4_000, 0},
		{"a pipe", 0, 10_000, 10_000, 0},
	} {
		p, estimate := &Progress{}, remaining{}
		p.size.Store(c.size)
		p.read.Store(c.read)
		estimate.bytesRead.Store(c.line)
		if n := estimate.after(b, p); n != c.want {
			t.Errorf("%s: %d records are to come, want %d", c.name, n, c.want)
		}
	}
}
