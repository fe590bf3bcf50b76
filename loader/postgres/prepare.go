package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/replica"
)

// bindAll finds the mapped tables in the source. What is missing or unfit is told at once.
func bindAll(ctx context.Context, c *catalog, m mapping.Mapping) (tables []*table, problems []Problem, err error) {
	encoding, err := c.encoding(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, mapped := range m.Tables {
		r, err := c.relation(ctx, mapped.Schema, mapped.Name)
		if err != nil {
			return nil, nil, err
		}
		if r == nil {
			problems = append(problems, Problem{
				What: fmt.Sprintf("there is no table %s", mapped.FullName()),
				Mend: "correct the mapping (--mapping; --print-mapping shows it), or create the table",
			})
			continue
		}
		t, more := bind(mapped, r)
		t.encoding = encoding
		tables = append(tables, t)
		problems = append(problems, more...)
		problems = append(problems, usable(t, r)...)
	}
	return tables, problems, nil
}

const mendHiddenRows = "ALTER ROLE current_user BYPASSRLS;  -- with the role's name, as a superuser"

// usable finds what keeps a table that is as it should be from being read or followed.
func usable(t *table, r *relation) (problems []Problem) {
	name := t.FullName()
	switch {
	case r.kind != "r" && r.kind != "p":
		problems = append(problems, Problem{What: fmt.Sprintf("%s is no table, and has no changes that could be followed", name), Mend: "name the table that it reads in the mapping"})
	case r.persistence != "p":
		problems = append(problems, Problem{What: fmt.Sprintf("table %s is not logged: its changes can't be followed", name), Mend: fmt.Sprintf("ALTER TABLE %s SET LOGGED;", t.sqlName())})
	}
	if r.hiddenRows {
		problems = append(problems, Problem{What: fmt.Sprintf("row-level security hides rows of table %s from the role", name), Mend: mendHiddenRows})
	}
	if !r.schemaUsable {
		problems = append(problems, Problem{What: fmt.Sprintf("the role may not use the schema of table %s", name), Mend: fmt.Sprintf("GRANT USAGE ON SCHEMA %s TO current_user;  -- with the role's name, as the owner", identifier(t.Schema))})
	}
	problems = append(problems, r.treeProblems(t)...)
	for _, c := range t.columns {
		if a, ok := r.columns[c.name]; ok && !a.readable {
			return append(problems, Problem{What: fmt.Sprintf("the role may not read table %s", name), Mend: fmt.Sprintf("GRANT SELECT ON %s TO current_user;  -- with the role's name, as the owner", t.sqlName())})
		}
	}
	return append(problems, r.unreadable(name)...)
}

// preparePublication makes the publication, if there is none, and adds tables that it does not have, as far as the role
// may.
func (s *session) preparePublication(ctx context.Context) ([]Problem, error) {
	p, err := s.catalog.publication(ctx, s.Publication)
	if err != nil {
		return nil, err
	}
	if p == nil && s.goesOn() {
		return nil, fatalf("publication %s is gone: changes can't be read from the log any more; start again with --resync all", s.Publication)
	}
	if p == nil {
		if problems := (&publication{}).generated(s.tables); len(problems) > 0 {
			return problems, nil
		}
		return s.mendPublication(ctx, Problem{
			What: fmt.Sprintf("there is no publication %s", s.Publication),
			Mend: createPublicationSQL(s.Publication, s.tables),
		})
	}
	var left []Problem
	for _, problem := range p.problems(s.Publication, s.tables) {
		more := []Problem{problem}
		if strings.HasPrefix(problem.Mend, "ALTER PUBLICATION") {
			if more, err = s.mendPublication(ctx, problem); err != nil {
				return nil, err
			}
			if problem.missing != nil && len(more) == 0 {
				s.published(problem.missing)
			}
		}
		left = append(left, more...)
	}
	return left, nil
}

// mendPublication does what mends a problem, unless the role may not.
func (s *session) mendPublication(ctx context.Context, p Problem) ([]Problem, error) {
	err := s.catalog.exec(ctx, p.Mend)
	if hasCode(err, codePrivilege, codeReadOnly) {
		return []Problem{p}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Mend, err)
	}
	s.Log.Info("changed the publication", "sql", p.Mend)
	return nil, nil
}

func (c *catalog) exec(ctx context.Context, statement string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.conn.Exec(ctx, statement)
	return err
}

// prepareSlot makes the slot of a source that is new or begun anew, and finds out whether that of a known one still
// goes on where it was taken.
func (s *session) prepareSlot(ctx context.Context, now cluster) error {
	found, err := s.catalog.slot(ctx, s.Slot)
	if err != nil {
		return err
	}
	if found != nil && found.foreign(s.database(ctx)) {
		return fatalf("slot %s belongs to something else (plugin %q, database %q): choose another one with --slot", s.Slot, found.plugin, found.database)
	}
	if s.goesOn() {
		broken, err := s.broken(ctx, now, found)
		if err != nil {
			return err
		}
		if broken != "" {
			return brokenError(broken)
		}
		s.state.source.timeline = now.timeline
		return nil
	}
	return s.begin(ctx, now, found)
}

func (s *session) database(ctx context.Context) (name string) {
	s.catalog.mu.Lock()
	defer s.catalog.mu.Unlock()
	_ = s.catalog.conn.QueryRow(ctx, "SELECT current_database()").Scan(&name) // "" matches no slot
	return name
}

func brokenError(why string) error {
	return fatalf("%s: changes may be missing; copy everything anew with --resync all", why)
}

// sameCluster makes sure that this is the cluster that was replicated.
func (s *session) sameCluster(now cluster) error {
	if at := &s.state.source; s.goesOn() && now.system != at.system {
		return brokenError(fmt.Sprintf("this is another PostgreSQL cluster (%s) than was replicated (%s)", now.system, at.system))
	}
	return nil
}

// broken tells why the slot does not go on where the source was taken, "" where it does.
func (s *session) broken(ctx context.Context, now cluster, found *slot) (string, error) {
	at := &s.state.source
	switch {
	case found == nil:
		return fmt.Sprintf("slot %s is gone, as it is when it was dropped or a standby without it was promoted", s.Slot), nil
	case found.lost():
		return fmt.Sprintf("slot %s was invalidated, because it held more WAL than max_slot_wal_keep_size allows", s.Slot), nil
	case found.confirmed > at.confirmed:
		return fmt.Sprintf("slot %s was confirmed up to %s, and ClickHouse has the changes up to %s", s.Slot, found.confirmed, at.confirmed), nil
	case now.end < at.confirmed:
		return fmt.Sprintf("PostgreSQL's log ends at %s, and ClickHouse has changes up to %s: PostgreSQL was set back", now.end, at.confirmed), nil
	case now.timeline == at.timeline:
		return "", nil
	}
	left, err := switchedAt(ctx, s.wal, at.timeline, now.timeline)
	if err != nil {
		return "", err
	}
	if left < at.confirmed {
		return fmt.Sprintf("the promoted standby left the former primary's log at %s, and ClickHouse has changes up to %s that it never got", left, at.confirmed), nil
	}
	s.Log.Info("following a promoted standby", "timeline", now.timeline, "since", left)
	return "", nil
}

// begin starts the source's history here. Positions go on above all that were ever given.
func (s *session) begin(ctx context.Context, now cluster, found *slot) error {
	if found != nil && (found.lost() || s.state.known) {
		if err := dropSlot(ctx, s.wal, s.Slot); err != nil {
			return err
		}
		found = nil
	}
	start := pglogrepl.LSN(0)
	if found != nil {
		start = found.confirmed // made by a run that was cut off right after
	} else {
		slow := time.AfterFunc(5*time.Second, func() {
			s.Log.Info("waiting until transactions that run in PostgreSQL have ended, to create the slot", "slot", s.Slot)
		})
		at, _, err := createSlot(ctx, s.wal, s.Slot, false)
		slow.Stop()
		if err != nil {
			return err
		}
		start = at
	}
	return s.target.do(ctx, func(ctx context.Context, w *replica.Writer, store *store) error {
		last, err := w.LastLSN(ctx)
		if err != nil {
			return err
		}
		next := sourceState{system: now.system, timeline: now.timeline, base: s.state.source.base, confirmed: start, committedAt: time.Unix(0, 0)}
		if last >= next.position(start) {
			next.base = last + 1 - uint64(start)
		}
		if err := store.saveTables(ctx, s.anew(&next)...); err != nil {
			return err
		}
		if err := store.saveSource(ctx, &next); err != nil {
			return err
		}
		s.state.source, s.state.known = next, true
		s.Resync = slices.DeleteFunc(s.Resync, func(name string) bool { return name == resyncAll })
		return nil
	})
}

// anew are the states of all tables when everything is copied anew.
func (s *session) anew(source *sourceState) (states []*tableState) {
	for _, t := range s.tables {
		states = append(states, s.copyAnew(t, source.position(source.confirmed)))
	}
	return states
}

// copyAnew makes a table's state that of one whose copy has not begun. Its changes from before the floor are passed
// over: the copy has them.
func (s *session) copyAnew(t *table, floor uint64) *tableState {
	name := t.FullName()
	st := s.state.tables[name]
	if st == nil {
		st = &tableState{name: name}
		s.state.tables[name] = st
	}
	st.relation, st.record, st.state, st.floor, st.snapshot = t.id, t.Record, copying, floor, 0
	st.files, st.shared, st.counts.copied = files{}, false, 0
	return st
}

// prepareTables begins the copies of tables that are new or to be copied anew. A snapshot that is taken later has all
// that is committed before now.
func (s *session) prepareTables(ctx context.Context, now cluster) error {
	var changed []*tableState
	for _, t := range s.tables {
		st := s.state.tables[t.FullName()]
		why, err := s.whyCopied(ctx, t, st)
		if err != nil {
			return fmt.Errorf("look for changes of table %s: %w", t.FullName(), err)
		}
		if why == "" {
			if here := filesOf(t.partitions); t.partitioned && st.state == following && !maps.Equal(st.files, here) {
				st.files = here // partitions without rows
				changed = append(changed, st)
			}
			continue
		}
		floor := s.state.source.position(max(s.state.source.confirmed, now.end))
		if st != nil {
			floor = max(floor, st.snapshot+1)
		}
		s.Log.Info("a table is to be copied", "table", t.FullName(), "because", why)
		changed = append(changed, s.copyAnew(t, floor))
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
	s.Resync = nil
	return nil
}

// whyCopied says why a table must be copied, as a whole or again, "" where it need not be.
func (s *session) whyCopied(ctx context.Context, t *table, st *tableState) (string, error) {
	switch {
	case st == nil:
		return "it was not copied yet", nil
	case st.record != t.Record || st.relation != t.id:
		return "it is another table, or gives other records", nil
	case slices.ContainsFunc(s.Resync, t.IsNamed):
		return "it was asked for, or its changes were not sent for a while", nil
	case st.state != following:
		return "", nil // its copy goes on
	case t.shared && !st.shared:
		return "it is not known which of its rows share a record", nil
	case t.partitioned && len(st.files) == 0 && len(t.partitions) > 0:
		return "its partitions were not watched before", nil
	case t.partitioned:
		return s.catalog.moved(ctx, st.files, t.partitions)
	}
	return "", nil
}
