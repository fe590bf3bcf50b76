package loader

import (
	"sync/atomic"
	"time"
)

// Progress is how far a load has come. It may be read while the load runs.
type Progress struct {
	size    atomic.Int64 // bytes of all files, 0 when not known
	read    atomic.Int64 // bytes read of them
	records atomic.Int64 // records written
	started atomic.Int64
}

// State is the progress at one moment.
type State struct {
	Records   int64         // records written
	Rate      float64       // records a second since the start
	Share     float64       // of the input's bytes, 0 to 1; 0 when its size is not known
	Remaining time.Duration // estimate; 0 when not known
}

func (p *Progress) start(size int64) {
	p.size.Store(size)
	p.started.Store(time.Now().UnixNano())
}

// State returns how far the load has come.
func (p *Progress) State() State {
	if p.started.Load() == 0 {
		return State{}
	}
	elapsed := time.Since(time.Unix(0, p.started.Load()))
	s := State{Records: p.records.Load()}
	s.Rate = float64(s.Records) / max(elapsed.Seconds(), 1e-3)
	if size, read := p.size.Load(), p.read.Load(); size > 0 && read > 0 {
		s.Share = min(float64(read)/float64(size), 1)
		s.Remaining = time.Duration(float64(elapsed) * (1 - s.Share) / s.Share)
	}
	return s
}

// remaining estimates how many records are still to come.
type remaining struct {
	bytesRead      atomic.Int64 // of lines, unpacked
	records, bytes int64        // of the batches so far
}

// after adds a batch and returns about how many records come after it, if the rest of the input is like what came; 0
// when its size is not known.
func (r *remaining) after(b batch, p *Progress) int {
	r.records += int64(b.Len())
	r.bytes += int64(b.bytes)
	size, read := float64(p.size.Load()), float64(p.read.Load())
	if size == 0 || read == 0 || r.bytes == 0 {
		return 0
	}
	unpacked := size / read * float64(r.bytesRead.Load())
	return int(max(0, unpacked/float64(r.bytes)-1) * float64(r.records))
}
