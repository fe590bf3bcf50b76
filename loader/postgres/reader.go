package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/record"
)

// reader is a connection that reads under a snapshot.
type reader struct{ tx pgx.Tx }

func openReader(ctx context.Context, url, snapshot string) (*reader, error) {
	conn, err := connect(ctx, url)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err == nil {
		_, err = tx.Exec(ctx, "SET TRANSACTION SNAPSHOT "+literal(snapshot))
	}
	if err != nil {
		closeQuietly(conn)
		return nil, fmt.Errorf("read under the snapshot of the slot: %w", err)
	}
	return &reader{tx}, nil
}

const (
	copyRows  = 100_000   // a work has at most this many copied rows,
	copyBytes = 128 << 20 // made of at most this many bytes
)

// sql reads the rows of a chunk. Values come as text, as in the log; the binary form spares escaping it.
func (t task) sql() string {
	where := fmt.Sprintf("ctid >= '(%d,0)'::tid", t.chunk.first)
	if t.chunk.end > 0 {
		where += fmt.Sprintf(" AND ctid < '(%d,0)'::tid", t.chunk.end)
	}
	return fmt.Sprintf("COPY (SELECT %s FROM ONLY %s WHERE %s) TO STDOUT (FORMAT binary)", t.job.table.selectList(), t.chunk.part, where)
}

// copyReader reads rows in PostgreSQL's binary form of COPY and gathers their records, those of small chunks together.
type copyReader struct {
	ctx    context.Context
	copies *copies
	work   *work // nil: there is nothing in it
	task   task
	values []value
	rest   []byte // the beginning of what has not come completely
	header bool   // was read
	ended  bool
	rows   uint64
	err    error
}

// chunk reads a chunk.
func (r *copyReader) chunk(from *reader, t task) error {
	if r.work != nil && r.work.copied != t.job.table {
		if err := r.flush(); err != nil {
			return err
		}
	}
	r.task, r.values = t, make([]value, len(t.job.table.columns))
	r.rest, r.header, r.ended, r.rows = nil, false, false, 0
	if _, err := from.tx.Conn().PgConn().CopyTo(r.ctx, r, t.sql()); err != nil {
		return readError(t.job.table, errors.Join(r.err, err))
	}
	if !r.ended {
		return fmt.Errorf("copy table %s from page %d: %w", t.job.table.FullName(), t.chunk.first, errShort)
	}
	t.chunk.copied, t.chunk.done = r.rows, true
	r.begin()
	r.work.done = append(r.work.done, t.chunk)
	return nil
}

// begin makes sure that there is a work.
func (r *copyReader) begin() {
	if r.work == nil {
		r.work = newWork()
		r.work.copied = r.task.job.table
		r.work.position, r.work.at = r.copies.position(), time.Now()
	}
}

// flush hands what was read to the writer.
func (r *copyReader) flush() error {
	if r.work == nil {
		return nil
	}
	w := r.work
	r.work = nil
	return r.copies.send(r.ctx, w)
}

// copySignature begins what COPY sends. Flags and the length of an extension follow it, four bytes each.
var copySignature = []byte("PGCOPY\n\xff\r\n\x00")

// Write takes some bytes. PostgreSQL sends rows one by one, but need not.
func (r *copyReader) Write(data []byte) (n int, err error) {
	if len(r.rest) > 0 {
		r.rest = append(r.rest, data...)
	} else {
		r.rest = data
	}
	for r.err == nil && !r.ended {
		c := &cursor{data: r.rest}
		if !r.header {
			r.readHeader(c)
		} else if r.readRow(c); c.err == nil && !r.ended {
			r.take(len(r.rest) - len(c.data))
		}
		if c.err != nil {
			break // the rest of it comes
		}
		r.rest = c.data
	}
	r.rest = bytes.Clone(r.rest) // data is the connection's
	if len(r.rest) == 0 {
		r.rest = nil
	}
	return len(data), r.err
}

func (r *copyReader) readHeader(c *cursor) {
	signature := c.bytes(len(copySignature))
	if c.err == nil && !bytes.Equal(signature, copySignature) {
		r.err = errors.New("PostgreSQL sends a copy in a form that is not known")
		return
	}
	c.uint32()
	c.bytes(int(c.uint32()))
	r.header = c.err == nil
}

// readRow reads the values of a row. A row of -1 values is the end.
func (r *copyReader) readRow(c *cursor) {
	n := c.uint16()
	if c.err != nil {
		return
	}
	if r.ended = n == 0xffff; r.ended {
		return
	}
	if n != len(r.values) {
		r.err = errors.New("PostgreSQL sends a row with another number of columns than was asked for")
		return
	}
	for i := range r.values {
		length := c.uint32()
		if length == 0xffffffff {
			r.values[i] = value{state: valueNull}
			continue
		}
		r.values[i] = value{state: valueText, text: c.bytes(int(length))}
	}
}

// take adds the record of the row that was read. What is wrong with rows is told by those who read them again.
func (r *copyReader) take(size int) {
	r.begin()
	t := r.task.job.table
	t.encoding.values(r.values)
	rec, err := t.row(r.values, r.work.position).Record()
	if wrong, ok := errors.AsType[*record.Error](err); ok {
		r.work.rejects = append(r.work.rejects, reject{rowKey: rowKey{t.FullName(), t.keyOf(r.values)}, record: t.Record, cause: wrong})
	} else {
		r.work.batch.Add(rec)
	}
	r.rows++
	r.work.rows++
	r.work.count(t).copied++
	if r.work.bytes += size; r.work.rows >= copyRows || r.work.bytes >= copyBytes {
		r.err = r.flush()
	}
}
