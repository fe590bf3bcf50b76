package wal

import (
	"errors"
	"fmt"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// change handles one row that was inserted, updated or deleted.
func (s *Stream) change(data []byte) error {
	c := &Cursor{Data: data[1:]}
	id := c.Uint32()
	l, known := s.layouts[id]
	if !known && !s.transaction.applied {
		return errors.New("the WAL has a row of a table without a relation message")
	}
	if wanted, err := s.isWanted(l, pglogrepl.MessageType(data[0])); !wanted {
		return err
	}
	clear(l.values)
	clear(l.old)
	hasOld, hasNew := false, false
	for len(c.Data) > 0 && !hasNew {
		switch part := c.byte(); part {
		case pglogrepl.UpdateMessageTupleTypeKey, pglogrepl.UpdateMessageTupleTypeOld:
			hasOld = true
			c.tuple(l.slots, l.old)
		case pglogrepl.UpdateMessageTupleTypeNew:
			hasNew = true
			c.tuple(l.slots, l.values)
		default:
			return fmt.Errorf("a WAL message has an unknown tuple type %q", part)
		}
	}
	if c.Err != nil {
		return c.Err
	}
	l.table.Encoding.ConvertRow(l.values)
	l.table.Encoding.ConvertRow(l.old)
	s.Queue.put(func(w *Changes) {
		w.Position, w.CommittedAt = s.transaction.position, s.transaction.at
		w.Rows++
		if w.FirstCommittedAt.IsZero() {
			w.FirstCommittedAt = w.CommittedAt
		}
		w.Bytes += len(data)
		s.apply(w, l, pglogrepl.MessageType(data[0]), hasOld)
	})
	return nil
}

// apply adds a change to a batch. A row whose key changes is one that is deleted and one that is inserted.
func (s *Stream) apply(w *Changes, l *layout, kind pglogrepl.MessageType, hasOld bool) {
	t, counts := l.table, w.Count(l.table)
	switch kind {
	case pglogrepl.MessageTypeDelete:
		counts.Deleted++
		s.delete(w, t, l.old)
	case pglogrepl.MessageTypeInsert:
		counts.Inserted++
		key := t.KeyOf(l.values)
		w.noteSharing(t, key, true)
		s.Rejects.upsert(w, t, t.Row(l.values, w.Position), key)
	default:
		counts.Updated++
		row, key := t.Row(l.values, w.Position), t.KeyOf(l.values)
		w.noteSharing(t, key, false)
		if hasOld && t.KeyOf(l.old) != key {
			s.delete(w, t, l.old)
			row.Moved()
		}
		s.Rejects.upsert(w, t, row, key)
	}
}

func (s *Stream) delete(w *Changes, t *source.Table, old []source.Value) {
	row := RowKey{t.FullName(), t.KeyOf(old)}
	w.noteSharing(t, row.Key, false)
	w.Deleted = append(w.Deleted, row)
	s.Rejects.Resolve(w, row)
	rec, err := t.KeyRow(old, w.Position).Tombstone(w.CommittedAt.UnixMilli())
	if err == nil { // else no record ever had this id
		w.Batch.Add(rec)
	}
}
