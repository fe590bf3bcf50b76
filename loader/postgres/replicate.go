// Package postgres replicates the tables of a PostgreSQL database: it copies the rows that are there and then follows
// every change by logical replication, into the same replicas as files are loaded into.
//
// A row's version is the LSN of its commit, so that everything may be done twice: what was written before a
// crash and comes again changes nothing. A source's slot may forget what it sent only once that is durable in
// ClickHouse and its cells are right; how far that is, is kept in ClickHouse beside the data.
//
// Following never waits for a copy. A copy reads chunks of a table under a snapshot, and its rows are versions at the
// snapshot's LSN: a change that was followed before or meanwhile is newer or older than that, and so wins
// or loses. A copy that was cut off goes on with the chunks that are left, under a new snapshot.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/loader/retry"
)

// Options say what to replicate, from where and where to.
type Options struct {
	URL         string // of PostgreSQL
	Mapping     mapping.Mapping
	Slot        string
	Publication string
	// ClickHouse returns the URL of ClickHouse, whose schema is up to date. It is called again after every failure,
	// because the embedded engine may be another one by then.
	ClickHouse  func(context.Context) (string, error)
	OnStatement func(statement string) // as replica.Options has it

	BatchRows       int           // a batch is closed when it has this many changes,
	BatchTime       time.Duration // or its first one has waited this long
	SnapshotWorkers int           // connections that copy rows at the same time
	Patience        time.Duration // how long PostgreSQL or ClickHouse may be gone
	Resync          []string      // tables to copy anew, "all" for all
	Log             *slog.Logger
	Monitor         *Monitor

	watchInterval time.Duration // of tests; 0: the usual one
}

// Resynchronize everything.
const resyncAll = "all"

// replicator is a replication under way.
type replicator struct {
	Options
	target     target
	state      *state
	rejects    *wal.OpenRejects
	connected  bool      // PostgreSQL was reached, and its answers made sense
	progressAt time.Time // when something was written last

	unsent   map[string]bool // tables whose changes the publication does not send
	counting struct {        // of messages that wait for their conversation
		at time.Time
		n  uint64
	}
}

// Run replicates until the context ends, or until something fails that does not pass. It carries on where an earlier
// run has stopped, however that was.
func Run(ctx context.Context, o Options) error {
	if o.Monitor == nil {
		o.Monitor = &Monitor{}
	}
	r := &replicator{Options: o, progressAt: time.Now(), unsent: map[string]bool{}}
	r.target.Options = &r.Options
	defer r.target.writer.Close()
	if err := o.checkResync(); err != nil {
		return err
	}
	r.Resync = slices.Clone(o.Resync)
	// Another writer is found before anything is done.
	err := r.target.do(ctx, func(context.Context, *replica.Writer, *store) error { return nil })
	switch {
	case ctx.Err() != nil:
		return nil // there was nothing to write yet
	case err != nil:
		return err
	}
	backoff := retry.Backoff{First: firstPause, Max: maxPause}
	for {
		began := time.Now()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return r.stopped(err)
		}
		if r.isFinal(err) {
			return err
		}
		if changed, ok := errors.AsType[*source.RestartError](err); ok {
			o.Log.Info("restarting the replication", "reason", changed.Reason)
			continue
		}
		if r.progressAt.After(began) && (time.Since(began) > steady || !isPersistent(err)) {
			backoff.Reset() // it got on
		}
		pause := backoff.Next()
		if time.Since(r.progressAt)+pause > o.Patience {
			return fmt.Errorf("replication made no progress for %s: %w", o.Patience, err)
		}
		o.Log.Warn("cannot follow PostgreSQL; trying again", "error", err, "pause", pause)
		o.Monitor.waitFor("PostgreSQL")
		if retry.Wait(ctx, pause) != nil {
			return nil
		}
	}
}

// checkResync refuses names of tables that the mapping does not have.
func (o *Options) checkResync() error {
	for _, name := range o.Resync {
		known := slices.ContainsFunc(o.Mapping.Tables, func(t mapping.Table) bool { return t.IsNamed(name) })
		if name != resyncAll && !known {
			return source.Fatalf("--resync names %q, which is not a table of the mapping", name)
		}
	}
	return nil
}

// stopped returns what a run that was asked to stop has to say: nothing, unless ClickHouse failed at the end.
func (r *replicator) stopped(err error) error {
	if failed, ok := errors.AsType[*targetError](err); ok && !errors.Is(err, context.Canceled) {
		return failed
	}
	return nil
}

// isFinal reports whether trying again makes no sense.
func (r *replicator) isFinal(err error) bool {
	if isA[*source.FatalError](err) || isA[*targetError](err) || isA[source.Problem](err) {
		return true
	}
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return !r.connected && ok && isMistake(failure.Code)
}

// isA reports whether an error is of a type, or wraps one that is.
func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// isMistake reports whether an error of PostgreSQL at the start is one that waiting does not fix, by the class of its
// code: a wrong password or database, a statement that is refused for what it is. Later it is an outage: it was right
// before.
func isMistake(code string) bool {
	return code == source.CodeReadOnly || slices.Contains([]string{"0A", "22", "28", "3D", "42"}, code[:2])
}

// isPersistent reports whether an error is an answer of PostgreSQL that is likely to come again, whatever else got on
// meanwhile; not that of a server that is shutting down or short of something.
func isPersistent(err error) bool {
	failure, ok := errors.AsType[*pgconn.PgError](err)
	return ok && !slices.Contains([]string{"08", "53", "55", "57"}, failure.Code[:2])
}

// load reads the state that is kept in ClickHouse.
func (r *replicator) load(ctx context.Context) error {
	return r.target.do(ctx, func(ctx context.Context, _ *replica.Writer, s *store) (err error) {
		if r.state, err = s.load(ctx); err != nil {
			return err
		}
		r.rejects, err = s.loadRejects(ctx)
		return err
	})
}
