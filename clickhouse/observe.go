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
	"go.opentelemetry.io/otel/trace/noop"
)

// Query is a statement that reads, and the parameters that it is bound to.
type Query struct {
	Name   string // what it is for, a word from a fixed set: it becomes a label of metrics and the name of spans
	SQL    string
	Params Params
}

// Rows are the rows of a query. The query is over when they are closed.
type Rows = native.Rows

// Observation is the outcome of a query.
type Observation struct {
	Name string        // the query's
	Rows uint64        // read by ClickHouse
	Took time.Duration // from asking for a connection to the last row
	Err  error
}

// Observer is called for every query, once it is over.
type Observer func(Observation)

// Observed is a pool whose queries are observed and traced. ClickHouse continues the trace.
type Observed struct {
	conn     Conn
	tracer   trace.Tracer
	observer Observer
}

// NewObserved returns a pool that is observed. A nil tracer records no spans; the observer may be nil.
func NewObserved(conn Conn, tracer trace.Tracer, observer Observer) Observed {
	if tracer == nil {
		tracer = noop.NewTracerProvider().Tracer("")
	}
	return Observed{conn, tracer, observer}
}

// Query runs a query, which a second observer observes, too.
func (o Observed) Query(ctx context.Context, q Query, second Observer) (Rows, error) {
	s := &statement{name: q.Name, observers: []Observer{o.observer, second}, started: time.Now()}
	ctx, s.span = o.tracer.Start(ctx, "SELECT "+s.name, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", "clickhouse"), attribute.String("db.operation.name", "SELECT"),
			attribute.String("db.query.summary", s.name)))
	options := []driver.QueryOption{driver.WithProgress(func(p *driver.Progress) { s.rows.Add(p.Rows) })}
	if s.span.IsRecording() {
		options = append(options, driver.WithSpan(s.span.SpanContext()))
	}
	rows, err := o.conn.Query(driver.Context(WithParams(ctx, q.Params), options...), q.SQL)
	if err != nil {
		s.end(err)
		return nil, err
	}
	return &observedRows{rows, s}, nil
}

// statement is a running query.
type statement struct {
	span      trace.Span
	name      string
	observers []Observer
	rows      atomic.Uint64
	started   time.Time
	once      sync.Once
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
		for _, observe := range s.observers {
			if observe != nil {
				observe(Observation{Name: s.name, Rows: rows, Took: time.Since(s.started), Err: err})
			}
		}
	})
}

type observedRows struct {
	Rows
	statement *statement
}

// Close closes the rows, and ends the query with the error that occurred while reading them.
func (r *observedRows) Close() error {
	err := r.Rows.Close()
	if failure := r.Rows.Err(); failure != nil {
		r.statement.end(failure)
		return err
	}
	r.statement.end(err)
	return err
}
