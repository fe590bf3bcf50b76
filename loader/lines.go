package loader

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/orgstats/orgstats/loader/record"
)

const (
	maxLine    = 64 << 20 // bytes of a line without its end
	chunkBytes = 1 << 20  // lines are handed on in chunks of about this size
)

var byteOrderMark = []byte("\xef\xbb\xbf")

// chunk is some lines of one file, in order. Once parsed is closed it holds a result for every line.
type chunk struct {
	path    string
	bytes   []byte // the lines one after the other, without their ends
	lines   []line
	results []result
	parsed  chan struct{}
}

type line struct {
	number int64 // from 1
	end    int   // where it ends in the chunk's bytes
	size   int   // 0, or how long it really was: the line is too long and is not here
}

// result is what a line is: a record, or what is wrong with it.
type result struct {
	record record.Record
	err    *record.Error
}

// used are chunks that were gathered: records hold no reference to them.
var used = sync.Pool{New: func() any { return &chunk{bytes: make([]byte, 0, chunkBytes+chunkBytes/8)} }}

func newChunk(path string) *chunk {
	c := used.Get().(*chunk)
	c.path, c.bytes, c.lines, c.parsed = path, c.bytes[:0], c.lines[:0], make(chan struct{})
	return c
}

// recycle lets a later chunk have the memory of this one, which must not be used any more, unless long lines have made
// it large.
func (c *chunk) recycle() {
	if cap(c.bytes) <= 4*chunkBytes {
		clear(c.results)
		used.Put(c)
	}
}

// weight returns how many the chunk is of the bytes that may be read ahead.
func (c *chunk) weight() int64 { return min(int64(cap(c.bytes)), bytesAhead) }

// text returns line i.
func (c *chunk) text(i int) []byte {
	start := 0
	if i > 0 {
		start = c.lines[i-1].end
	}
	return c.bytes[start:c.lines[i].end]
}

func (c *chunk) parse() {
	c.results = slices.Grow(c.results[:0], len(c.lines))[:len(c.lines)]
	arena := record.NewArena(len(c.lines))
	for i := range c.lines {
		c.results[i] = parseLine(arena, c.text(i), c.lines[i].size)
	}
	close(c.parsed)
}

func parseLine(arena *record.Arena, text []byte, size int) result {
	if size > 0 {
		return result{err: &record.Error{Reason: fmt.Sprintf("the line has %d bytes, at most %d are read", size, maxLine)}}
	}
	r, err := arena.Parse(text)
	wrong, _ := errors.AsType[*record.Error](err) // every error is one
	return result{r, wrong}
}

// readLines reads a source line by line and emits chunks of lines that are not blank.
func readLines(ctx context.Context, s *source, emit func(*chunk) error) error {
	r := bufio.NewReaderSize(s, chunkBytes)
	c := newChunk(s.path)
	for number := int64(1); ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := len(c.bytes)
		size, err := c.appendLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("%s: line %d: %w", s.path, number, err)
		}
		if number == 1 {
			c.dropByteOrderMark()
		}
		if size > 0 || !record.Blank(c.bytes[start:]) {
			c.lines = append(c.lines, line{number, len(c.bytes), size})
		} else {
			c.bytes = c.bytes[:start]
		}
		end := errors.Is(err, io.EOF)
		// What is there is handed on before waiting for more, so that a slow source's lines don't wait for a chunk to
		// fill.
		if len(c.lines) > 0 && (end || len(c.bytes) >= chunkBytes || r.Buffered() == 0) {
			if err := emit(c); err != nil {
				return err
			}
			c = newChunk(s.path)
		}
		if end {
			return nil
		}
	}
}

// appendLine reads up to the end of a line. A line that is too long is read past, and its size returned.
func (c *chunk) appendLine(r *bufio.Reader) (tooLong int, err error) {
	start, size := len(c.bytes), 0
	for {
		part, err := r.ReadSlice('\n')
		size += len(part)
		if size <= maxLine+1 {
			c.bytes = append(c.bytes, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if bytes.HasSuffix(part, []byte{'\n'}) {
			size--
		}
		if size > maxLine {
			c.bytes = c.bytes[:start]
			return size, err
		}
		c.bytes = c.bytes[:start+size]
		return 0, err
	}
}

func (c *chunk) dropByteOrderMark() {
	c.bytes = bytes.TrimPrefix(c.bytes, byteOrderMark)
}
