package clickhouse

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"
	native "github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Observation is what became of a statement.
type Observation struct {
	Name string        // what the statement is for, as Named says; "" where nobody said
	Rows uint64        // read by ClickHouse
	Took time.Duration // from asking for a connection to the last row
	Err  error
}

// Observer is told of every statement, under the statement's context.
type Observer func(context.Context, Observation)

type nameKey struct{}

// Named says what the statements that run under the context are for, in a word from a fixed set: it becomes a label of
// metrics and the name of spans.
func Named(ctx context.Context, name string) context.Context {
	return context.WithValue(ctx, nameKey{}, name)
}

// Observe gives a pool whose queries are observed and traced. ClickHouse continues the trace.
func Observe(conn Conn, tracer trace.Tracer, observer Observer) Conn {
	return &observedConn{Conn: conn, tracer: tracer, observer: observer}
}

type observedConn struct {
	Conn
	tracer   trace.Tracer
	observer Observer
}

// QueryRow runs a query of one row; the query is over when that is scanned.
func (c *observedConn) QueryRow(ctx context.Context, query string, args ...any) native.Row {
	ctx, s := c.begin(ctx)
	row := c.Conn.QueryRow(ctx, query, args...)
	if err := row.Err(); err != nil {
		s.end(err)
	}
	return &observedRow{row, s}
}

// Query runs a query, which is over when its rows are closed, or read to their end.
func (c *observedConn) Query(ctx context.Context, query string, args ...any) (native.Rows, error) {
	ctx, s := c.begin(ctx)
	rows, err := c.Conn.Query(ctx, query, args...)
	if err != nil {
		s.end(err)
		return nil, err
	}
	return &observedRows{rows, s}, nil
}

// statement is one that is under way.
type statement struct {
	conn    *observedConn
	ctx     context.Context
	span    trace.Span
	name    string
	rows    atomic.Uint64
	started time.Time
	once    sync.Once
}

func (c *observedConn) begin(ctx context.Context) (context.Context, *statement) {
	s := &statement{conn: c, started: time.Now()}
	s.name, _ = ctx.Value(nameKey{}).(string)
	ctx, s.span = c.tracer.Start(ctx, "SELECT "+s.name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", "clickhouse"), attribute.String("db.operation.name", "SELECT"),
			attribute.String("db.query.summary", s.name)))
	s.ctx = ctx
	options := []driver.QueryOption{driver.WithProgress(func(p *driver.Progress) { s.rows.Add(p.Rows) })}
	if s.span.IsRecording() {
		options = append(options, driver.WithSpan(s.span.SpanContext()))
	}
	return driver.Context(ctx, options...), s
}

func (s *statement) end(err error) {
	s.once.Do(func() {
		rows := s.rows.Load()
		s.span.SetAttributes(attribute.Int64("orgstats.rows_read", int64(rows)))
		if err != nil {
			// The server's message may quote what the caller asked for.
			s.span.SetStatus(codes.Error, "the statement failed")
		}
		s.span.End()
		s.conn.observer(s.ctx, Observation{Name: s.name, Rows: rows, Took: time.Since(s.started), Err: err})
	})
}

type observedRow struct {
	native.Row
	statement *statement
}

func (r *observedRow) Scan(into ...any) error {
	err := r.Row.Scan(into...)
	r.statement.end(err)
	return err
}

func (r *observedRow) ScanStruct(into any) error {
	err := r.Row.ScanStruct(into)
	r.statement.end(err)
	return err
}

type observedRows struct {
	native.Rows
	statement *statement
}

func (r *observedRows) Close() error {
	err := r.Rows.Close()
	r.statement.end(err)
	return err
}
