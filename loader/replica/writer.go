// Package replica keeps the replicas in ClickHouse: it applies batches of records, so that the tables hold the winning
// version of every record however often, and in whatever order, records come.
//
// A batch is written in steps that can each be cut off. Its number is noted as begun, and the dense numbers that it
// assigns are stored. Then two things are written side by side: files and members; and conversations, after them
// messages, after them the messages that follow a changed conversation. Then the batch is noted as finished, unless
// another follows at once. Before messages are written, their hours are marked as stale; Compute computes the figures
// of stale hours and unmarks them (package rollup). Whoever opens the replicas next finishes what was begun, so that
// what a crash left behind is consistent whether or not the records come again.
//
// While a batch is being written, the next one is planned, and those of its rows that show nowhere yet are written
// ahead.
package replica

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/rollup"
)

// Options say where the replicas are.
type Options struct {
	URL    string // ClickHouse connection URL
	Holder string // how to name this program to another that wants to write meanwhile; "": by host and process

	// OnStatement, if it is set, is called after every statement that has written something, perhaps by two goroutines
	// at once: each is a point at which a writer may be killed.
	OnStatement func(statement string)
}

// Writer is the one that writes the replicas. It is not safe for concurrent use.
type Writer struct {
	options       Options
	conn          clickhouse.Conn
	claim         *clickhouse.Claim
	batch         uint64 // number of the last batch
	conversations *conversations
	messages      *messages
	members       *members
	tables        [record.NumKinds]table // these, and all others
	rollups       *rollup.Rollups
	merges        *merges
	writing       *writing // nil: no batch is under way
}

// statementTime bounds every statement of the writer; the longest look through the history of a large organization.
const statementTime = 10 * time.Minute

// comment is the log_comment of every statement of a writer.
const comment = "orgstats loader"

// Open acquires the claim to write the replicas and finishes what an earlier writer left unfinished. It fails while
// another writer is at work.
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
	if err == nil && o.OnStatement != nil {
		conn = &watched{conn, o.OnStatement}
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
	statement, cancel := w.Statement(ctx)
	defer cancel()
	if err := w.awaitStatements(statement); err != nil {
		return err
	}
	w.merges = &merges{conn: w.conn}
	if err := w.merges.start(statement); err != nil {
		return err
	}
	var err error
	if w.rollups, err = rollup.Open(statement, w.conn, rollupWriter{w}); err != nil {
		return err
	}
	if w.conversations, err = openConversations(statement, w.conn); err != nil {
		return err
	}
	if w.messages, err = openMessages(statement, w.conn, w.rollups); err != nil {
		return err
	}
	w.members = newMembers(w.conn, w.rollups)
	w.tables = [...]table{
		record.KindConversation: w.conversations,
		record.KindMessage:      w.messages,
		record.KindKBFile:       newKBFiles(w.conn, w.rollups),
		record.KindMember:       w.members,
	}
	if err := w.recover(statement); err != nil {
		return err
	}
	return w.Compute(statement)
}

// settings are those of a writer's statements.
var settings = map[string]any{
	"min_insert_block_size_rows":             math.MaxInt64, // an insert is one part, however many blocks it comes in
	"min_insert_block_size_bytes":            math.MaxInt64,
	"optimize_on_insert":                     0, // none writes a sort key twice: the server need not look for that
	"force_grouping_standard_compatibility":  1, // computing months goes by what grouping() says
	"low_cardinality_allow_in_native_format": 0, // the driver is slow to make such columns
}

// Statement returns the context of a writer's statements, also of those on Conn: they are bounded, and have the comment
// by which whoever opens the replicas next finds them and waits for them to end.
func (w *Writer) Statement(ctx context.Context) (context.Context, context.CancelFunc) {
	return clickhouse.WithStatement(ctx, clickhouse.Statement{
		Comment: comment, Limits: clickhouse.Limits{Time: statementTime}, Settings: settings,
	})
}

// Conn returns the writer's connection, for what is kept beside the replicas under the same claim.
func (w *Writer) Conn() clickhouse.Conn { return w.conn }

// Expect says about how many records are still to come, which the writer makes room for. It need not be called.
func (w *Writer) Expect(records int) { w.messages.locations.Coming = records }

// Close releases the claim, once nothing is being written.
func (w *Writer) Close() {
	if w.writing != nil {
		<-w.writing.done
	}
	if w.merges != nil && w.merges.stopped {
		ctx, cancel := context.WithTimeout(context.Background(), startDeadline)
		_ = w.merges.start(ctx) // or whoever opens the replicas next starts them
		cancel()
	}
	if w.conn != nil {
		_ = w.conn.Close()
	}
	w.claim.Release()
}
