package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// watchInterval is how often the source is looked at beside its WAL, unless a test sets another interval.
const watchInterval = 10 * time.Second

// watch looks at what the WAL does not have: how much WAL the slot holds, and whether the tables are still the same and
// published. A table that is not would fall silent.
func (s *session) watch(ctx context.Context) error {
	ticker := time.NewTicker(cmp.Or(s.watchInterval, watchInterval))
	defer ticker.Stop()
	for {
		if err := s.inspect(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// inspectTimeout bounds a look at the source.
const inspectTimeout = time.Minute

func (s *session) inspect(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	now := look{at: time.Now()}
	var err error
	if now.end, err = s.catalog.WALEnd(ctx); err != nil {
		return err
	}
	found, err := s.catalog.Slot(ctx, s.Slot)
	if err != nil {
		return err
	}
	if found == nil || found.Lost() {
		return fmt.Errorf("slot %s was dropped or invalidated", s.Slot) // the next session says what to do
	}
	s.Monitor.retained(found.Retained)
	p, err := s.catalog.Publication(ctx, s.Publication)
	if err != nil {
		return err
	}
	if p == nil {
		return s.noPublication()
	}
	for _, t := range s.tables {
		now, err := s.catalog.Relation(ctx, t.Schema, t.Name)
		if err != nil {
			return err
		}
		if now == nil || now.OID != t.OID {
			return s.lostTable(ctx, t)
		}
		if err := s.inspectTree(ctx, t, now); err != nil {
			return err
		}
	}
	if err := s.inspectPublication(p); err != nil {
		return err
	}
	if len(s.unsent) == 0 {
		s.progress.add(now)
	}
	return nil
}

// lostTable says where a table is whose name is not its own any more.
func (s *session) lostTable(ctx context.Context, t *source.Table) error {
	name, err := s.catalog.TableName(ctx, t.OID)
	switch {
	case err != nil:
		return err
	case name == "":
		return source.Fatalf("table %s was dropped: create it again or correct the mapping; another table of this name is copied from the start", t.FullName())
	}
	return source.RenamedError(t, name)
}

// inspectTree finds what has changed of a table beside its WAL: rows that came or went with partitions, children that
// it can't be followed with, an index without which two rows may make one record.
func (s *session) inspectTree(ctx context.Context, t *source.Table, now *source.Relation) error {
	if problems := now.TreeProblems(t); len(problems) > 0 {
		return source.JoinProblems(problems)
	}
	if bound, _ := source.Bind(t.Table, now); bound.SharesRecords && !t.SharesRecords {
		return source.Restartf("no unique index covers %s of table %s any more", strings.Join(t.IdentityFields(), " and "), t.FullName())
	}
	if !t.Partitioned {
		return nil
	}
	if s.seen[t.OID] == nil {
		s.seen[t.OID] = source.FilesOf(t.Partitions)
	}
	why, err := s.catalog.Moved(ctx, s.seen[t.OID], now.Partitions)
	if err != nil {
		return fmt.Errorf("look for changes of table %s: %w", t.FullName(), err)
	}
	if why != "" {
		return source.Restartf("table %s: %s", t.FullName(), why)
	}
	s.seen[t.OID] = source.FilesOf(now.Partitions)
	return nil
}

// inspectPublication finds tables whose changes are not sent, or not all of them. Once they are again, they are copied
// anew.
func (s *session) inspectPublication(p *source.Publication) error {
	back := false
	for _, t := range s.tables {
		problems := slices.DeleteFunc(p.Problems(s.Publication, []*source.Table{t}), func(p source.Problem) bool { return p.TableOID != 0 })
		switch name := t.FullName(); {
		case len(problems) > 0:
			s.Log.Warn("changes of a table are not published; it is resynchronized once they are", "table", name, "problem", problems[0].What,
				"fix", problems[0].Fix)
			s.unsent[name] = true
		case s.unsent[name]:
			delete(s.unsent, name)
			s.resyncLater(t)
			back = true
		}
	}
	if back {
		return source.Restartf("changes of a table were not published for a while")
	}
	return nil
}

// resyncLater notes that tables were added to the publication: what changed before was not sent, so they are copied
// anew.
func (s *session) resyncLater(t *source.Table) {
	name := t.FullName()
	if s.state.tables[name] != nil && !slices.Contains(s.Resync, name) {
		s.Resync = append(s.Resync, name)
	}
}
