package loader

import "sync/atomic"

// coming tells about how many records are still to come.
type coming struct {
	bytesRead      atomic.Int64 // of lines, unpacked
	records, bytes int64        // of the batches so far
}

// after takes in a batch and tells about how many records come after it, if the rest of the input is like what came; 0
// when its size is not known.
func (c *coming) after(b full, p *Progress) int {
	c.records += int64(b.Len())
	c.bytes += int64(b.bytes)
	size, read := float64(p.size.Load()), float64(p.read.Load())
	if size == 0 || read == 0 || c.bytes == 0 {
		return 0
	}
	unpacked := size / read * float64(c.bytesRead.Load())
	return int(max(0, unpacked/float64(c.bytes)-1) * float64(c.records))
}
