package wal

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// relation handles how the rows of a table come from here on. What the mapping does not use may come and go as it
// likes. That what it uses does not fit is an error only once a row comes that is wanted.
func (s *Stream) relation(ctx context.Context, m *pglogrepl.RelationMessage) error {
	s.convertNames(m)
	i := slices.IndexFunc(s.Tables, func(t *source.Table) bool { return t.Schema == m.Namespace && t.Name == m.RelationName })
	if renamed := slices.IndexFunc(s.Tables, func(t *source.Table) bool { return t.OID == m.RelationID }); i < 0 && renamed >= 0 {
		t := s.Tables[renamed]
		now, err := s.Catalog.Relation(ctx, t.Schema, t.Name)
		if err != nil {
			return err
		}
		if now == nil || now.OID != t.OID {
			return source.RenamedError(t, m.Namespace+"."+m.RelationName)
		}
		i = renamed // it has its name again
	}
	if i < 0 {
		s.layouts[m.RelationID] = nil // published, and not mapped
		return nil
	}
	l, err := s.layout(ctx, s.Tables[i], m)
	if err != nil {
		return err
	}
	s.layouts[m.RelationID] = l
	return nil
}

// convertNames converts the names that a table is announced with, which are in the database's encoding.
func (s *Stream) convertNames(m *pglogrepl.RelationMessage) {
	if len(s.Tables) == 0 || s.Tables[0].Encoding == nil {
		return
	}
	e := s.Tables[0].Encoding
	m.Namespace, m.RelationName = string(e.UTF8([]byte(m.Namespace))), string(e.UTF8([]byte(m.RelationName)))
	for _, c := range m.Columns {
		c.Name = string(e.UTF8([]byte(c.Name)))
	}
}

func (s *Stream) layout(ctx context.Context, t *source.Table, m *pglogrepl.RelationMessage) (*layout, error) {
	now := *t
	now.Columns = slices.Clone(t.Columns)
	l := &layout{table: &now, slots: slices.Repeat([]int{-1}, len(m.Columns)), floor: s.Floors[t.FullName()]}
	l.values, l.old = make([]source.Value, len(t.Columns)), make([]source.Value, len(t.Columns))
	for place := range now.Columns {
		c := &now.Columns[place]
		i := slices.IndexFunc(m.Columns, func(sent *pglogrepl.RelationMessageColumn) bool { return sent.Name == c.Name })
		if i < 0 {
			var err error
			l.unfit, err = s.lostColumn(ctx, t, c.Name)
			return l, err
		}
		l.slots[i] = place
		if slices.Contains(t.Key, place) && m.Columns[i].Flags&1 == 0 {
			l.keyless = source.Fatalf("rows of table %s were changed or deleted while its replica identity did not have its column %s, so that the WAL does not "+
				"identify them: %s", t.FullName(), c.Name, fixByCopy(t, "restore the identity, if that is still to be done"))
		}
		var err error
		if c.Kind, err = s.Catalog.KindOfType(ctx, m.Columns[i].DataType); err != nil {
			return nil, err
		}
	}
	for _, f := range now.Sources {
		if f.Index >= 0 && !source.FieldFits(&now.Table, f.Field, now.Columns[f.Index].Kind) {
			l.unfit = source.Fatalf("rows of table %s were changed while its column %s had a type that does not fit the field %s: %s",
				t.FullName(), f.Column, f.Name, fixByCopy(t, "change it back or correct the mapping, if that is still to be done"))
		}
	}
	return l, nil
}

// fixByCopy says how changes that can't be applied are skipped: what they led to is copied.
func fixByCopy(t *source.Table, before string) string {
	return fmt.Sprintf("%s, and resynchronize the table with --resync %s; nothing after the change was applied", before, t.FullName())
}

// lostColumn says that rows come without a column that the mapping uses.
func (s *Stream) lostColumn(ctx context.Context, t *source.Table, name string) (lost, err error) {
	now, err := s.Catalog.Relation(ctx, t.Schema, t.Name)
	if err != nil {
		return nil, err
	}
	column, there := source.Attribute{}, false
	if now != nil {
		column, there = now.Columns[name]
	}
	switch {
	case there && column.Generated:
		return source.JoinProblems([]source.Problem{source.GeneratedColumn(t, name)}), nil
	case there:
		return source.Fatalf("table %s had no column %s yet, or none any more, when changes were made that are next in the WAL: replicate them with the former "+
			"mapping first, or %s", t.FullName(), name, fixByCopy(t, "skip them")), nil
	}
	return source.Fatalf("table %s no longer has the column %s that the mapping uses: map the column that replaces it, or %s",
		t.FullName(), name, fixByCopy(t, "add it again")), nil
}
