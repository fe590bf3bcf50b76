package sample

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"
)

const flushBytes = 256 << 10

// lines builds JSON in a buffer by appending and writes it out in large pieces.
type lines struct {
	ctx    context.Context
	out    io.Writer
	buffer []byte
	today  day
}

// day keeps the date of the last time that was written: the next is nearly
// always on the same one.
type day struct {
	number int64 // days since 1970
	date   [11]byte
}

func newLines(ctx context.Context, out io.Writer) lines {
	return lines{ctx: ctx, out: out, buffer: make([]byte, 0, flushBytes+64<<10), today: day{number: -1}}
}

func (l *lines) text(s string)  { l.buffer = append(l.buffer, s...) }
func (l *lines) bytes(b []byte) { l.buffer = append(l.buffer, b...) }
func (l *lines) int(n int64)    { l.buffer = strconv.AppendInt(l.buffer, n, 10) }

// time appends Unix milliseconds as JavaScript's toISOString() gives them.
func (l *lines) time(ms int64) {
	if number := ms / millisPerDay; number != l.today.number {
		l.today.number = number
		time.UnixMilli(ms).UTC().AppendFormat(l.today.date[:0], "2006-01-02T")
	}
	of := int(ms % millisPerDay)
	h, m, s, f := of/millisPerHour, of/60_000%60, of/1000%60, of%1000
	b := append(l.buffer, l.today.date[:]...)
	l.buffer = append(b,
		digit(h/10), digit(h%10), ':', digit(m/10), digit(m%10), ':', digit(s/10), digit(s%10), '.',
		digit(f/100), digit(f/10%10), digit(f%10), 'Z')
}

// micros turns the time that was just written into one with microseconds.
func (l *lines) micros(us int) {
	b := l.buffer[:len(l.buffer)-1]
	l.buffer = append(b, digit(us/100), digit(us/10%10), digit(us%10), 'Z')
}

func digit(n int) byte { return '0' + byte(n) }

// flushIfFull is called between records, so that only whole lines are written.
func (l *lines) flushIfFull() error {
	if len(l.buffer) < flushBytes {
		return nil
	}
	return l.flush()
}

func (l *lines) flush() error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if _, err := l.out.Write(l.buffer); err != nil {
		return fmt.Errorf("write sample records: %w", err)
	}
	l.buffer = l.buffer[:0]
	return nil
}
