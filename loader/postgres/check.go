package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
)

// Check tries out everything that replication needs, changes nothing, and returns all that it finds. The error is one
// of reaching PostgreSQL or ClickHouse later than at first.
func Check(ctx context.Context, o Options) (source.Findings, error) {
	c := &check{Options: o, preflight: o.preflight(), state: &state{}}
	findings := &c.preflight.Findings
	c.clickHouse(ctx)
	conn, err := source.Connect(ctx, o.URL)
	if err != nil {
		findings.Fail("start it, or correct the source's URL (ORGSTATS_SOURCE_URL, --source-url)", "%v", err)
		return *findings, nil
	}
	defer source.CloseQuietly(conn)
	err = c.preflight.Run(ctx, conn)
	if err == nil {
		err = c.log(ctx)
	}
	return *findings, err
}

// preflight returns the checks of PostgreSQL.
func (o *Options) preflight() *source.Preflight {
	return &source.Preflight{
		URL: o.URL, Slot: o.Slot, Publication: o.Publication, Mapping: o.Mapping, Readers: o.SnapshotWorkers,
		StartOver: slices.Contains(o.Resync, resyncAll),
	}
}

// preflight is the check before anything is done. Its error holds all problems. Columns that are wrong now need not
// have been when the changes were made that a source that is known goes on with: the WAL has what they were then.
func (s *session) preflight(ctx context.Context, conn *pgx.Conn) error {
	p := s.Options.preflight()
	if err := p.Run(ctx, conn); err != nil {
		return err
	}
	var problems []error
	for _, f := range p.Findings {
		if f.Severity == source.Failed && !s.mayPostdateLog(f.Problem) {
			problems = append(problems, f.Problem)
		}
	}
	return errors.Join(problems...)
}

// mayPostdateLog reports whether a problem need not have been one when the next changes in the WAL were made.
func (s *session) mayPostdateLog(p source.Problem) bool {
	if p.TableOID == 0 || !s.resumes() {
		return false
	}
	for _, t := range s.state.tables {
		if t.relation == p.TableOID {
			return true
		}
	}
	return false
}

// resumes reports whether the WAL is followed from where an earlier run was.
func (s *session) resumes() bool { return s.state.exists && !slices.Contains(s.Resync, resyncAll) }

// check is a check under way.
type check struct {
	Options
	preflight *source.Preflight
	state     *state // what ClickHouse keeps of the source
}

// clickHouse checks that ClickHouse accepts writes. What it writes is hidden.
func (c *check) clickHouse(ctx context.Context) {
	url, err := c.ClickHouse(ctx)
	if err == nil {
		err = c.tryWrite(ctx, url)
	}
	if err != nil {
		c.preflight.Findings.Fail("free disk space for ClickHouse, and grant the user the right to write", "%v", err)
		return
	}
	c.preflight.Findings.Pass("ClickHouse accepts writes")
}

func (c *check) tryWrite(ctx context.Context, url string) error {
	s, err := openPlainStore(ctx, url, c.Slot)
	if err != nil {
		return err
	}
	defer func() { _ = s.conn.Close() }()
	if err := s.saveRejects(ctx, []wal.Reject{{RejectedAt: time.Now()}}); err != nil {
		return err
	}
	found, err := s.load(ctx)
	if err == nil {
		c.state = found
	}
	return err
}

// log checks whether the changes that are next in the WAL can be applied: tables may have been other ones when they
// were made.
func (c *check) log(ctx context.Context) error {
	const what = "the next changes in the WAL can be applied"
	p := c.preflight
	switch {
	case !c.state.exists || p.Found == nil || p.Tables == nil || p.Found.Lost() || p.StartOver:
		return nil
	case p.Found.ActivePID != 0:
		p.Findings.Pass("the slot is active (process %d of PostgreSQL)", p.Found.ActivePID)
		return nil
	}
	now, err := p.Catalog.WALEnd(ctx)
	if err != nil {
		return err
	}
	s := &wal.Stream{Catalog: p.Catalog, Tables: p.Tables, Base: c.state.source.base, StartLSN: c.state.source.confirmed, Floors: c.state.floors()}
	for _, t := range p.Tables {
		if slices.ContainsFunc(c.Resync, t.IsNamed) {
			s.Floors[t.FullName()] = s.Base + uint64(now)
		}
	}
	read, err := s.Peek(ctx, c.URL, c.Slot, c.Publication)
	var unfit source.Problem
	fatal, cannot := errors.AsType[*source.FatalError](err)
	switch {
	case cannot:
		unfit.What = fatal.Message
	case errors.As(err, &unfit):
	case errors.Is(err, context.DeadlineExceeded):
		p.Findings.Note("%s, as far as could be read in %s", what, wal.PeekTime)
		return nil
	case err != nil:
		return fmt.Errorf("read ahead in the WAL of slot %s: %w", c.Slot, err)
	default:
		p.Findings.Pass("%s (%d changes were read)", what, read)
		return nil
	}
	p.Findings.Add(unfit)
	return nil
}
