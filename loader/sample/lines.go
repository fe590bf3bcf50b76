package sample

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

const flushBytes = 256 << 10

// lines builds JSON in a buffer by appending, and writes it out in large pieces, until the first error.
type lines struct {
	ctx    context.Context
	out    io.Writer
	buffer []byte
	err    error
}

// millis and micros are Unix times in milliseconds and microseconds.
type (
	millis int64
	micros int64
)

func newLines(ctx context.Context, out io.Writer) lines {
	return lines{ctx: ctx, out: out, buffer: make([]byte, 0, flushBytes+64<<10)}
}

// add appends text as it is, numbers in decimal, and times as JavaScript's toISOString() formats them.
func (l *lines) add(parts ...any) {
	for _, part := range parts {
		switch p := part.(type) {
		case string:
			l.buffer = append(l.buffer, p...)
		case int64:
			l.buffer = strconv.AppendInt(l.buffer, p, 10)
		case millis:
			l.buffer = time.UnixMilli(int64(p)).UTC().AppendFormat(l.buffer, "2006-01-02T15:04:05.000Z")
		case micros:
			l.buffer = time.UnixMicro(int64(p)).UTC().AppendFormat(l.buffer, "2006-01-02T15:04:05.000000Z")
		default:
			panic("unreachable: a part of another type") // naming it would put every part on the heap
		}
	}
}

// end ends a line, after which a full buffer is written, so that only whole lines are.
func (l *lines) end() {
	l.add("}\n")
	if len(l.buffer) >= flushBytes {
		l.flush()
	}
}

// flush writes the buffer, or discards it after an error.
func (l *lines) flush() {
	if l.err == nil {
		l.err = l.ctx.Err()
	}
	if l.err == nil {
		if _, err := l.out.Write(l.buffer); err != nil {
			l.err = fmt.Errorf("write sample records: %w", err)
		}
	}
	l.buffer = l.buffer[:0]
}
