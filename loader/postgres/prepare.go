package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/replica"
)

// preparePublication makes the publication, if there is none, and adds tables that it does not have, as far as the role
// may.
func (s *session) preparePublication(ctx context.Context) ([]source.Problem, error) {
	p, err := s.catalog.Publication(ctx, s.Publication)
	if err != nil {
		return nil, err
	}
	if p == nil && s.resumes() {
		return nil, s.noPublication()
	}
	if p == nil {
		if problems := (&source.Publication{}).Generated(s.tables); len(problems) > 0 {
			return problems, nil
		}
		return s.fixPublication(ctx, source.Problem{
			What: fmt.Sprintf("publication %s does not exist", s.Publication),
			Fix:  source.CreatePublicationSQL(s.Publication, s.tables),
		})
	}
	var left []source.Problem
	for _, problem := range p.Problems(s.Publication, s.tables) {
		more := []source.Problem{problem}
		if strings.HasPrefix(problem.Fix, "ALTER PUBLICATION") {
			if more, err = s.fixPublication(ctx, problem); err != nil {
				return nil, err
			}
			if problem.Unpublished != nil && len(more) == 0 {
				s.resyncLater(problem.Unpublished)
			}
		}
		left = append(left, more...)
	}
	return left, nil
}

func (s *session) noPublication() error {
	return source.Fatalf("publication %s does not exist: changes cannot be decoded from the WAL; resynchronize everything with --resync all", s.Publication)
}

// fixPublication carries out what fixes a problem, unless the role may not.
func (s *session) fixPublication(ctx context.Context, p source.Problem) ([]source.Problem, error) {
	err := s.catalog.Exec(ctx, p.Fix)
	if source.HasCode(err, source.CodePrivilege, source.CodeReadOnly) {
		return []source.Problem{p}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Fix, err)
	}
	s.Log.Info("changed the publication", "sql", p.Fix)
	return nil, nil
}

// prepareSlot makes the slot of a source that is new or begun anew, and finds out whether that of a known one still
// goes on where an earlier run ended.
func (s *session) prepareSlot(ctx context.Context, now wal.Cluster) error {
	found, err := s.catalog.Slot(ctx, s.Slot)
	if err != nil {
		return err
	}
	database, err := s.catalog.Database(ctx)
	if err != nil {
		return err
	}
	if found != nil && found.IsForeign(database) {
		return source.Fatalf("slot %s has another plugin or database (plugin %q, database %q): choose another one with --slot", s.Slot, found.Plugin, found.Database)
	}
	if !s.resumes() {
		return s.begin(ctx, now, found)
	}
	if err := s.continues(ctx, now, found); err != nil {
		return err
	}
	s.state.source.timeline = now.Timeline
	return nil
}

func brokenf(format string, arguments ...any) error {
	return source.Fatalf(format+": changes may be missing; resynchronize everything with --resync all", arguments...)
}

// continues makes sure that the slot goes on where the last run ended.
func (s *session) continues(ctx context.Context, now wal.Cluster, found *source.Slot) error {
	at := &s.state.source
	switch {
	case found == nil:
		return brokenf("slot %s does not exist: it was dropped, or a standby without it was promoted", s.Slot)
	case found.Lost():
		return brokenf("slot %s was invalidated, because it retained more WAL than max_slot_wal_keep_size allows", s.Slot)
	case found.Confirmed > at.confirmed:
		return brokenf("slot %s was confirmed up to %s, but changes are applied only up to %s", s.Slot, found.Confirmed, at.confirmed)
	case now.End < at.confirmed:
		return brokenf("PostgreSQL's WAL ends at %s, but changes are applied up to %s: PostgreSQL was restored to an earlier state", now.End, at.confirmed)
	case now.Timeline == at.timeline:
		return nil
	}
	left, err := wal.SwitchedAt(ctx, s.wal, at.timeline, now.Timeline)
	if err != nil {
		return err
	}
	if left < at.confirmed {
		return brokenf("the promoted standby diverged from the former primary at %s, but changes are applied up to %s, which it never received", left, at.confirmed)
	}
	s.Log.Info("following a promoted standby", "timeline", now.Timeline, "since", left)
	return nil
}

// begin starts the source's history here. Positions go on above all that were ever used.
func (s *session) begin(ctx context.Context, now wal.Cluster, found *source.Slot) error {
	if found != nil && (found.Lost() || s.state.exists) {
		if err := wal.DropSlot(ctx, s.wal, s.Slot); err != nil {
			return err
		}
		found = nil
	}
	var start pglogrepl.LSN
	if found != nil {
		start = found.Confirmed // made by a run that was cut off right after
	} else {
		var err error
		if start, _, err = wal.CreateSlot(ctx, s.wal, s.Slot, false, s.Log); err != nil {
			return err
		}
	}
	return s.target.do(ctx, func(ctx context.Context, w *replica.Writer, store *store) error {
		last, err := w.LastLSN(ctx)
		if err != nil {
			return err
		}
		next := sourceState{system: now.System, timeline: now.Timeline, base: s.state.source.base, confirmed: start, committedAt: time.Unix(0, 0), caughtUpAt: time.Unix(0, 0)}
		if last >= next.position(start) {
			next.base = last + 1 - uint64(start)
		}
		var tables []*tableState
		for _, t := range s.tables {
			tables = append(tables, s.startCopy(t, next.position(next.confirmed)))
		}
		if err := store.saveTables(ctx, tables...); err != nil {
			return err
		}
		if err := store.saveSource(ctx, &next); err != nil {
			return err
		}
		s.state.source, s.state.exists = next, true
		s.Resync = slices.DeleteFunc(s.Resync, func(name string) bool { return name == resyncAll })
		return nil
	})
}

// startCopy makes a table's state that of one whose copy has not begun. Its changes from before the floor are passed
// over: the copy has them.
func (s *session) startCopy(t *source.Table, floor uint64) *tableState {
	name := t.FullName()
	st := s.state.tables[name]
	if st == nil {
		st = &tableState{name: name}
		s.state.tables[name] = st
	}
	st.relation, st.record, st.state, st.floor, st.snapshot = t.OID, t.Record, copying, floor, 0
	st.files, st.shared, st.counts.Copied = source.Files{}, false, 0
	return st
}

// prepareTables begins the copies of tables that are new or to be copied anew. A snapshot that is exported later has
// all that is committed before now.
func (s *session) prepareTables(ctx context.Context, now wal.Cluster) error {
	var changed []*tableState
	var copied, reasons []string
	for _, t := range s.tables {
		st := s.state.tables[t.FullName()]
		why, err := s.whyCopied(ctx, t, st)
		if err != nil {
			return fmt.Errorf("look for changes of table %s: %w", t.FullName(), err)
		}
		if why == "" {
			if here := source.FilesOf(t.Partitions); t.Partitioned && st.state == following && !maps.Equal(st.files, here) {
				st.files = here // partitions without rows
				changed = append(changed, st)
			}
			continue
		}
		floor := s.state.source.position(max(s.state.source.confirmed, now.End))
		if st != nil {
			floor = max(floor, st.snapshot+1)
		}
		copied, reasons = append(copied, t.FullName()), append(reasons, why)
		changed = append(changed, s.startCopy(t, floor))
	}
	if len(changed) == 0 {
		return nil
	}
	err := s.target.do(ctx, func(ctx context.Context, _ *replica.Writer, store *store) error {
		return store.saveTables(ctx, changed...)
	})
	if err != nil {
		return err
	}
	for i, name := range copied { // logged once it is stored, so that whoever reads the line finds the state
		s.Log.Info("a table is to be copied", "table", name, "reason", reasons[i])
	}
	s.Resync = nil
	return nil
}

// whyCopied says why a table must be copied, as a whole or again, "" where it need not be.
func (s *session) whyCopied(ctx context.Context, t *source.Table, st *tableState) (string, error) {
	switch {
	case st == nil:
		return "it was never copied", nil
	case st.record != t.Record || st.relation != t.OID:
		return "it was recreated, or is mapped to another record type", nil
	case slices.ContainsFunc(s.Resync, t.IsNamed):
		return "a resync was requested, or its changes were not published for a while", nil
	case st.state != following:
		return "", nil // its copy goes on
	case t.SharesRecords && !st.shared:
		return "it is not known which of its rows share a record", nil
	case t.Partitioned && len(st.files) == 0 && len(t.Partitions) > 0:
		return "its partitions were not tracked before", nil
	case t.Partitioned:
		return s.catalog.Moved(ctx, st.files, t.Partitions)
	}
	return "", nil
}
