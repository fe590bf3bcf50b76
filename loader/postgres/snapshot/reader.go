package snapshot

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/record"
)

// openReader opens a connection that reads under a snapshot.
func openReader(ctx context.Context, url, snapshot string) (pgx.Tx, error) {
	conn, err := source.Connect(ctx, url)
	if err != nil {
		return nil, err
	}
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err == nil {
		_, err = tx.Exec(ctx, "SET TRANSACTION SNAPSHOT "+source.Literal(snapshot))
	}
	if err != nil {
		source.CloseQuietly(conn)
		return nil, fmt.Errorf("read under the snapshot of the slot: %w", err)
	}
	return tx, nil
}

const (
	copyRows  = 100_000   // a batch has at most this many copied rows,
	copyBytes = 128 << 20 // made of at most this many bytes
)

// sql reads the rows of a chunk. Values come as text, as in the WAL; the binary form spares escaping it.
func (t task) sql() string {
	where := fmt.Sprintf("ctid >= '(%d,0)'::tid", t.chunk.First)
	if t.chunk.End > 0 {
		where += fmt.Sprintf(" AND ctid < '(%d,0)'::tid", t.chunk.End)
	}
	return fmt.Sprintf("COPY (SELECT %s FROM ONLY %s WHERE %s) TO STDOUT (FORMAT binary)", t.job.Table.SelectList(), t.chunk.Table, where)
}

// copyReader reads rows in PostgreSQL's binary form of COPY and gathers their records, those of small chunks together.
type copyReader struct {
	ctx    context.Context
	copies *Copies
	out    *Copied // nil: there is nothing in it
	task   task
	values []source.Value
	rest   []byte // the beginning of what has not come completely
	header bool   // was read
	ended  bool
	rows   uint64
	err    error
}

// chunk reads a chunk.
func (r *copyReader) chunk(from pgx.Tx, t task) error {
	if r.out != nil && r.out.Job != t.job {
		if err := r.flush(); err != nil {
			return err
		}
	}
	r.task, r.values = t, make([]source.Value, len(t.job.Table.Columns))
	r.rest, r.header, r.ended, r.rows = nil, false, false, 0
	if _, err := from.Conn().PgConn().CopyTo(r.ctx, r, t.sql()); err != nil {
		return source.ReadError(t.job.Table, errors.Join(r.err, err))
	}
	if !r.ended {
		return fmt.Errorf("copy table %s from page %d: %w", t.job.Table.FullName(), t.chunk.First, wal.ErrShort)
	}
	t.chunk.Rows, t.chunk.Done = r.rows, true
	r.begin()
	r.out.Done = append(r.out.Done, t.chunk)
	return nil
}

// begin makes sure that there is a batch.
func (r *copyReader) begin() {
	if r.out == nil {
		r.out = &Copied{Changes: wal.NewChanges(), Job: r.task.job}
		r.out.Position, r.out.CommittedAt = r.copies.position(), time.Now()
	}
}

// flush hands what was read to the writer.
func (r *copyReader) flush() error {
	if r.out == nil {
		return nil
	}
	defer func() { r.out = nil }()
	return r.copies.send(r.ctx, r.out)
}

// copySignature begins what COPY sends. Flags and the length of an extension follow it, four bytes each.
var copySignature = []byte("PGCOPY\n\xff\r\n\x00")

// Write reads some bytes. PostgreSQL sends rows one by one, but need not.
func (r *copyReader) Write(data []byte) (n int, err error) {
	if len(r.rest) > 0 {
		r.rest = append(r.rest, data...)
	} else {
		r.rest = data
	}
	for r.err == nil && !r.ended {
		c := &wal.Cursor{Data: r.rest}
		if !r.header {
			r.readHeader(c)
		} else if r.readRow(c); c.Err == nil && !r.ended {
			r.addRow(len(r.rest) - len(c.Data))
		}
		if c.Err != nil {
			break // the rest of it comes
		}
		r.rest = c.Data
	}
	r.rest = bytes.Clone(r.rest) // data is the connection's
	return len(data), r.err
}

func (r *copyReader) readHeader(c *wal.Cursor) {
	signature := c.Bytes(len(copySignature))
	if c.Err == nil && !bytes.Equal(signature, copySignature) {
		r.err = errors.New("PostgreSQL sent COPY data in an unknown format")
		return
	}
	c.Uint32()
	c.Bytes(int(c.Uint32()))
	r.header = c.Err == nil
}

// readRow reads the values of a row. A row of -1 values is the end.
func (r *copyReader) readRow(c *wal.Cursor) {
	n := c.Uint16()
	if c.Err != nil {
		return
	}
	if r.ended = n == 0xffff; r.ended {
		return
	}
	if n != len(r.values) {
		r.err = errors.New("PostgreSQL sent a COPY row with an unexpected number of columns")
		return
	}
	for i := range r.values {
		length := c.Uint32()
		if length == 0xffffffff {
			r.values[i] = source.Value{State: source.ValueNull}
			continue
		}
		r.values[i] = source.Value{State: source.ValueText, Text: c.Bytes(int(length))}
	}
}

// addRow adds the record of the row that was read. What is wrong with rows is reported by those who read them again.
func (r *copyReader) addRow(size int) {
	r.begin()
	t := r.task.job.Table
	t.Encoding.ConvertRow(r.values)
	rec, err := t.Row(r.values, r.out.Position).Record()
	if wrong, ok := errors.AsType[*record.Error](err); ok {
		r.out.Rejects = append(r.out.Rejects, wal.Reject{RowKey: wal.RowKey{Table: t.FullName(), Key: t.KeyOf(r.values)}, Record: t.Record, Cause: wrong})
	} else {
		r.out.Batch.Add(rec)
	}
	r.rows++
	r.out.Rows++
	r.out.Count(t).Copied++
	if r.out.Bytes += size; r.out.Rows >= copyRows || r.out.Bytes >= copyBytes {
		r.err = r.flush()
	}
}
