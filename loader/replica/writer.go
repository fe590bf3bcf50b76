// Package replica keeps the replicas in ClickHouse: it takes batches of records and writes what they change, so that
// the tables hold the winning version of every record however often, and in whatever order, records come.
//
// A batch is written in steps that can each be cut off. Its number is noted as begun, and the dense numbers that it
// gives. Then two things are written side by side: files and members; and conversations, after them messages, after
// them the messages that follow a changed conversation. Then the batch is noted as finished, unless another follows at
// once. Before messages are written, their hours are marked as stale; Compute brings the cells and the activity of
// stale hours up to date and unmarks them. Whoever opens the replicas next finishes what was begun, so that what a
// crash left behind is consistent whether or not the records come again.
//
// While a batch is being written, the next one is made ready, and what of it shows nowhere is written ahead.
package replica

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// Options say where the replicas are.
type Options struct {
	URL    string // ClickHouse connection URL
	Holder string // how to name this program to another that wants to write meanwhile; "": by host and process

	// Written, if it is set, is called after every statement that has written something, perhaps of two at once: each
	// is a point at which a writer may be killed.
	Written func(statement string)
}

// Writer is the one that writes the replicas. It is not safe for concurrent use.
type Writer struct {
	options       Options
	conn          clickhouse.Conn
	claim         *clickhouse.Claim
	batch         uint64 // number of the last batch
	conversations *conversations
	messages      *messages
	kbFiles       *kbFiles
	members       *members
	stale         *staleHours
	touched       *touched
	merges        *merges
	writing       *writing // nil: no batch is under way
}

// statementTime bounds every statement of the writer; the longest look through the history of a large organization.
const statementTime = 10 * time.Minute

// comment is the log_comment of every statement of a writer.
const comment = "orgstats loader"

// Open takes the claim to write the replicas, finishes what an earlier writer left unfinished, and makes ready. It
// fails while another writer is at work.
func Open(ctx context.Context, o Options) (*Writer, error) {
	claim, err := clickhouse.TakeClaim(ctx, o.URL, "loader", o.holder())
	if held, ok := errors.AsType[*clickhouse.HeldError](err); ok {
		return nil, fmt.Errorf("another loader writes to this database: %w; wait until it ends, or stop it", held)
	}
	if err != nil {
		return nil, err
	}
	w := &Writer{options: o, claim: claim}
	if w.conn, err = o.connect(ctx, clickhouse.Pool{MaxOpen: 6, MaxIdle: 4}); err == nil {
		err = w.prepare(ctx)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (o Options) connect(ctx context.Context, pool clickhouse.Pool) (clickhouse.Conn, error) {
	conn, err := clickhouse.Open(ctx, o.URL, pool)
	if err == nil && o.Written != nil {
		conn = &watched{conn, o.Written}
	}
	return conn, err
}

func (o Options) holder() string {
	if o.Holder != "" {
		return o.Holder
	}
	host, err := os.Hostname()
	if err != nil {
		host = "an unknown host"
	}
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

func (w *Writer) prepare(ctx context.Context) error {
	statement, cancel := w.statement(ctx)
	defer cancel()
	if err := w.settle(statement); err != nil {
		return err
	}
	w.merges = &merges{conn: w.conn}
	if err := w.merges.resume(statement); err != nil {
		return err
	}
	waiting, err := openWaiting(statement, w.conn)
	if err != nil {
		return err
	}
	if w.stale, err = openStaleHours(statement, w.conn); err != nil {
		return err
	}
	if w.conversations, err = openConversations(statement, w.conn); err != nil {
		return err
	}
	w.touched = &touched{} // what was touched before is not remembered
	if len(w.stale.marked) == 0 {
		w.touched = newTouched()
	}
	unique, err := w.isEmpty(statement, "messages")
	if err != nil {
		return err
	}
	w.messages = &messages{w.conn, newPositions(w.conn, kindMessage), waiting, w.stale, w.touched, unique}
	w.kbFiles = &kbFiles{w.conn, newPositions(w.conn, kindKBFile), w.stale}
	w.members = &members{w.conn, w.stale}
	if err := w.recover(statement); err != nil {
		return err
	}
	return w.Compute(statement)
}

// isEmpty tells whether a table has no rows.
func (w *Writer) isEmpty(ctx context.Context, table string) (bool, error) {
	var rows uint64
	if err := w.conn.QueryRow(ctx, "SELECT count() FROM "+table).Scan(&rows); err != nil {
		return false, fmt.Errorf("count the rows of %s: %w", table, err)
	}
	return rows == 0, nil
}

// settings are those of a writer's statements.
var settings = map[string]any{
	"min_insert_block_size_rows":             math.MaxInt64, // an insert is one part, however many blocks it comes in
	"min_insert_block_size_bytes":            math.MaxInt64,
	"optimize_on_insert":                     0, // none writes a sorting key twice: the server need not look for that
	"force_grouping_standard_compatibility":  1, // computing months goes by what grouping() says
	"low_cardinality_allow_in_native_format": 0, // the driver is slow to make such columns
}

// statement is the context of a writer's statements: they can be told from others, which who opens the replicas next
// relies on, and are bounded.
func (w *Writer) statement(ctx context.Context) (context.Context, context.CancelFunc) {
	return clickhouse.WithStatement(ctx, clickhouse.Statement{
		Comment: comment, Limits: clickhouse.Limits{Time: statementTime}, Settings: settings,
	})
}

// Conn is the writer's connection, for what is kept beside the replicas under the same claim.
func (w *Writer) Conn() clickhouse.Conn { return w.conn }

// Statement is the context of statements on that connection: whoever opens the replicas next waits for them to end.
func (w *Writer) Statement(ctx context.Context) (context.Context, context.CancelFunc) {
	return w.statement(ctx)
}

// Coming tells the writer about how many records are still to come, which it makes room for; it need not be told.
func (w *Writer) Coming(records int) { w.messages.positions.coming = records }

// Close gives the claim back, once nothing is being written.
func (w *Writer) Close() {
	if w.writing != nil {
		<-w.writing.done
	}
	if w.merges != nil && w.merges.held {
		ctx, cancel := context.WithTimeout(context.Background(), resumeDeadline)
		_ = w.merges.resume(ctx) // or whoever opens the replicas next does it
		cancel()
	}
	if w.conn != nil {
		_ = w.conn.Close()
	}
	w.claim.Release()
}
