package postgres

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pglogrepl"
)

// relation takes in how the rows of a table come from here on. What the mapping does not use may come and go as it
// likes. That what it uses does not fit is an error only once a row comes that is wanted.
func (s *stream) relation(ctx context.Context, m *pglogrepl.RelationMessage) error {
	s.convertNames(m)
	i := slices.IndexFunc(s.tables, func(t *table) bool { return t.Schema == m.Namespace && t.Name == m.RelationName })
	if renamed := slices.IndexFunc(s.tables, func(t *table) bool { return t.id == m.RelationID }); i < 0 && renamed >= 0 {
		t := s.tables[renamed]
		now, err := s.catalog.relation(ctx, t.Schema, t.Name)
		if err != nil {
			return err
		}
		if now == nil || now.id != t.id {
			return renamedError(t, m.Namespace+"."+m.RelationName)
		}
		i = renamed // it has its name again
	}
	if i < 0 {
		s.layouts[m.RelationID] = nil // published, and not mapped
		return nil
	}
	l, err := s.layout(ctx, s.tables[i], m)
	if err != nil {
		return err
	}
	s.layouts[m.RelationID] = l
	return nil
}

func renamedError(t *table, name string) error {
	return fatalf("table %s was renamed to %s: rename it back or correct the mapping; nothing after the change was taken", t.FullName(), name)
}

// convertNames converts the names that a table is announced with, which are in the database's encoding.
func (s *stream) convertNames(m *pglogrepl.RelationMessage) {
	if len(s.tables) == 0 || s.tables[0].encoding == nil {
		return
	}
	e := s.tables[0].encoding
	m.Namespace, m.RelationName = string(e.utf8([]byte(m.Namespace))), string(e.utf8([]byte(m.RelationName)))
	for _, c := range m.Columns {
		c.Name = string(e.utf8([]byte(c.Name)))
	}
}

func (s *stream) layout(ctx context.Context, t *table, m *pglogrepl.RelationMessage) (*layout, error) {
	now := *t
	now.columns = slices.Clone(t.columns)
	l := &layout{table: &now, slots: slices.Repeat([]int{-1}, len(m.Columns)), floor: s.floors[t.FullName()]}
	l.values, l.old = make([]value, len(t.columns)), make([]value, len(t.columns))
	for place := range now.columns {
		c := &now.columns[place]
		i := slices.IndexFunc(m.Columns, func(sent *pglogrepl.RelationMessageColumn) bool { return sent.Name == c.name })
		if i < 0 {
			var err error
			l.unfit, err = s.lostColumn(ctx, t, c.name)
			return l, err
		}
		l.slots[i] = place
		if slices.Contains(t.key, place) && m.Columns[i].Flags&1 == 0 {
			l.keyless = fatalf("rows of table %s were changed or deleted while its replica identity did not have its column %s, so that the log does not "+
				"tell which: %s", t.FullName(), c.name, mendCopy(t, "restore the identity, if that is still to be done"))
		}
		var err error
		if c.kind, err = s.catalog.kindOfType(ctx, m.Columns[i].DataType); err != nil {
			return nil, err
		}
	}
	for _, f := range now.fields {
		if f.column >= 0 && !fieldFits(&now.Table, f.Field, now.columns[f.column].kind) {
			l.unfit = fatalf("rows of table %s were changed while its column %s had a type that does not fit the field %s: %s",
				t.FullName(), f.Column, f.Name, mendCopy(t, "change it back or correct the mapping, if that is still to be done"))
		}
	}
	return l, nil
}

// mendCopy says how changes that can't be taken are passed over: what they led to is copied.
func mendCopy(t *table, before string) string {
	return fmt.Sprintf("%s, and copy the table anew with --resync %s; nothing after the change was taken", before, t.FullName())
}

// lostColumn says that rows come without a column that the mapping uses.
func (s *stream) lostColumn(ctx context.Context, t *table, name string) (lost, err error) {
	now, err := s.catalog.relation(ctx, t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	column, there := attribute{}, false
	if now != nil {
		column, there = now.columns[name]
	}
	switch {
	case there && column.generated:
		return joinProblems([]Problem{generatedColumn(t, name)}), nil
	case there:
		return fatalf("table %s had no column %s yet, or none any more, when changes were made that are next in the log: follow them with the former "+
			"mapping first, or %s", t.FullName(), name, mendCopy(t, "pass over them")), nil
	}
	return fatalf("table %s has lost its column %s, which the mapping uses: name the column that has taken its place in the mapping, or %s",
		t.FullName(), name, mendCopy(t, "add it again")), nil
}
