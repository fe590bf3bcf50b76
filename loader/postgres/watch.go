package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// watchEvery is how often the source is looked at beside its log.
const watchEvery = 10 * time.Second

// watch looks at what the log does not tell: how much WAL the slot holds, and whether the tables are still the same and
// published. A table that is not would fall silent.
func (s *session) watch(ctx context.Context) error {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		if err := s.lookInTime(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// lookTime bounds a look at the source.
const lookTime = time.Minute

func (s *session) lookInTime(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	return s.look(ctx)
}

func (s *session) look(ctx context.Context) error {
	found, err := s.catalog.slot(ctx, s.Slot)
	if err != nil {
		return err
	}
	if found == nil || found.lost() {
		return fmt.Errorf("slot %s is gone or was invalidated", s.Slot) // the next session says what to do
	}
	s.Monitor.retained(found.retained)
	p, err := s.catalog.publication(ctx, s.Publication)
	if err != nil {
		return err
	}
	if p == nil {
		return fatalf("publication %s is gone: changes can't be read from the log any more; start again with --resync all", s.Publication)
	}
	for _, t := range s.tables {
		now, err := s.catalog.relation(ctx, t.Schema, t.Name)
		if err != nil {
			return err
		}
		if now == nil || now.id != t.id {
			return s.lostTable(ctx, t)
		}
		if err := s.lookTree(ctx, t, now); err != nil {
			return err
		}
	}
	return s.lookPublished(p)
}

// lostTable says where a table is whose name is not its own any more.
func (s *session) lostTable(ctx context.Context, t *table) error {
	name, err := s.catalog.nameOf(ctx, t.id)
	switch {
	case err != nil:
		return err
	case name == "":
		return fatalf("table %s was dropped: make it again or correct the mapping; a table of this name that is another one is copied anew", t.FullName())
	}
	return renamedError(t, name)
}

// lookTree finds what has changed of a table beside its log: rows that came or went with partitions, children that it
// can't be followed with, an index without which two rows may give one record.
func (s *session) lookTree(ctx context.Context, t *table, now *relation) error {
	if problems := now.treeProblems(t); len(problems) > 0 {
		return joinProblems(problems)
	}
	if bound, _ := bind(t.Table, now); bound.shared && !t.shared {
		return restart("no unique index covers %s of table %s any more", strings.Join(identityFields(t.Record), " and "), t.FullName())
	}
	if !t.partitioned {
		return nil
	}
	if s.seen[t.id] == nil {
		s.seen[t.id] = filesOf(t.partitions)
	}
	why, err := s.catalog.moved(ctx, s.seen[t.id], now.partitions)
	if err != nil {
		return fmt.Errorf("look for changes of table %s: %w", t.FullName(), err)
	}
	if why != "" {
		return restart("table %s: %s", t.FullName(), why)
	}
	s.seen[t.id] = filesOf(now.partitions)
	return nil
}

// lookPublished finds tables whose changes are not sent, or not all of them. Once they are again, they are copied anew.
func (s *session) lookPublished(p *publication) error {
	back := false
	for _, t := range s.tables {
		problems := slices.DeleteFunc(p.problems(s.Publication, []*table{t}), func(p Problem) bool { return p.passing != 0 })
		switch name := t.FullName(); {
		case len(problems) > 0:
			s.Log.Warn("changes of a table are not sent; it will be copied anew once they are", "table", name, "problem", problems[0].What,
				"mend", problems[0].Mend)
			s.unsent[name] = true
		case s.unsent[name]:
			delete(s.unsent, name)
			s.published(t)
			back = true
		}
	}
	if back {
		return restart("changes of a table were not sent for a while")
	}
	return nil
}

// published takes in that tables were added to the publication: what changed before was not sent, so they are copied
// anew.
func (s *session) published(t *table) {
	name := t.FullName()
	if s.state.tables[name] != nil && !slices.Contains(s.Resync, name) {
		s.Resync = append(s.Resync, name)
	}
}
