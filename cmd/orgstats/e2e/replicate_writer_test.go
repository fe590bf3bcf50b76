package e2e

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orgstats/orgstats/loader/postgres/pgtest"
)

// writers change the source all the time, as several applications do at once. They survive crashes of the source.
type writers struct {
	*testing.T
	source  *pgtest.Cluster
	workers []*sourceWriter
	pace    time.Duration // a row's share of a worker's time
	stopped atomic.Bool
	running sync.WaitGroup
	rows    atomic.Int64 // committed
}

// sourceWriter is one of the writers.
type sourceWriter struct {
	*writers
	*generator
	conn *pgx.Conn // nil after it was lost
}

// newWriters returns writers whose workers together change so many rows per second.
func newWriters(source *pgtest.Cluster, t *testing.T, seed uint64, workers, rowsASecond int) *writers {
	w := &writers{T: t, source: source, pace: time.Second * time.Duration(workers) / time.Duration(rowsASecond)}
	for n := range workers {
		w.workers = append(w.workers, &sourceWriter{w, &generator{Rand: rand.New(rand.NewPCG(seed, uint64(n)))}, nil})
	}
	t.Cleanup(w.stop)
	return w
}

func (w *writers) start() {
	w.stopped.Store(false)
	for _, worker := range w.workers {
		w.running.Go(worker.run)
	}
}

// stop stops the writers between two transactions.
func (w *writers) stop() {
	w.stopped.Store(true)
	w.running.Wait()
}

// run writes until the writers are stopped.
func (w *sourceWriter) run() {
	next := time.Now()
	for !w.stopped.Load() {
		rows, err := w.transaction()
		if err != nil && !w.tolerable(err) {
			w.Errorf("a writer: %v", err)
			return
		}
		next = next.Add(time.Duration(max(rows, 1)) * w.pace)
		if late := time.Now(); next.Before(late.Add(-time.Second)) {
			next = late // changes missed in an outage are not made up for
		}
		for until := time.Until(next); until > 0 && !w.stopped.Load(); until = time.Until(next) {
			time.Sleep(min(until, 50*time.Millisecond)) // the pace
		}
	}
}

// tolerable reports whether an error is one of those that occur when others write, or kill, at the same time.
func (w *sourceWriter) tolerable(err error) bool {
	if refused, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch refused.Code {
		case "23505", "40P01", "40001": // a key is taken, a deadlock, a serialization failure
			return true
		case "57P01", "57P02", "57P03": // the server shuts down, has crashed, starts
		default:
			return false
		}
	}
	if w.conn != nil {
		_ = w.conn.Close(context.Background())
		w.conn = nil
	}
	return true
}

// transaction makes some changes, and commits most of them.
func (w *sourceWriter) transaction() (rows int64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if w.conn == nil {
		if w.conn, err = pgx.Connect(ctx, w.source.URL()); err != nil {
			return 0, err
		}
	}
	err = pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
		for range 1 + w.IntN(2)*w.IntN(8) {
			n, err := w.change(ctx, tx)
			if rows += n; err != nil {
				return err
			}
		}
		if w.chance(0.05) {
			return errTakenBack
		}
		return nil
	})
	if errors.Is(err, errTakenBack) {
		return 0, nil
	}
	if err == nil {
		w.rows.Add(rows)
	}
	return rows, err
}

// errTakenBack makes a transaction roll back.
var errTakenBack = errors.New("taken back")

// change makes one change, sometimes in a savepoint that is rolled back.
func (w *sourceWriter) change(ctx context.Context, tx pgx.Tx) (rows int64, err error) {
	kinds := kindsOfChange
	switch n := w.IntN(1000); {
	case n < 3:
		kinds = sweeps
	case n < 13:
		kinds = mistakes
	}
	chosen := w.choose(kinds).make(w.generator)
	if !w.chance(0.03) {
		return apply(ctx, tx, chosen)
	}
	err = pgx.BeginFunc(ctx, tx, func(part pgx.Tx) error {
		if _, err := apply(ctx, part, chosen); err != nil {
			return err
		}
		return errTakenBack
	})
	if errors.Is(err, errTakenBack) {
		err = nil
	}
	return 0, err
}

func apply(ctx context.Context, tx pgx.Tx, c change) (rows int64, err error) {
	done, err := tx.Exec(ctx, c.sql, c.arguments...)
	return done.RowsAffected(), err
}

// fill writes an initial state in so many transactions, as fast as one worker can.
func (w *writers) fill(transactions int) {
	w.Helper()
	worker := w.workers[0]
	for range transactions {
		if _, err := worker.transaction(); err != nil && !worker.tolerable(err) {
			w.Fatal(err)
		}
	}
}
