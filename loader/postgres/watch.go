package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// watchEvery is how often the source is looked at beside its log.
const watchEvery = 10 * time.Second

// watch looks at what the log does not tell: how much WAL the slot holds, and whether the tables are still the same and published. A
// table that is not would fall silent.
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
			return fatalf("table %s was dropped or renamed: make it again or correct the mapping; a table of this name that is another one is copied anew",
				t.FullName())
		}
	}
	return s.lookPublished(p)
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
		return errors.New("changes of a table were not sent for a while")
	}
	return nil
}

// published takes in that tables were added to the publication: what changed before was not sent, so they are copied anew.
func (s *session) published(t *table) {
	name := t.FullName()
	if s.state.tables[name] != nil && !slices.Contains(s.Resync, name) {
		s.Resync = append(s.Resync, name)
	}
}
