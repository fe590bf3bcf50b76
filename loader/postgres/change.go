package postgres

import (
	"errors"
	"fmt"

	"github.com/jackc/pglogrepl"

	"github.com/orgstats/orgstats/loader/record"
)

// change takes in one row that was inserted, updated or deleted.
func (s *stream) change(data []byte) error {
	c := &cursor{data: data[1:]}
	id := c.uint32()
	l, known := s.layouts[id]
	if !known && !s.transaction.taken {
		return errors.New("the log brings a row of a table that it did not announce")
	}
	if wanted, err := s.wants(l, pglogrepl.MessageType(data[0])); !wanted {
		return err
	}
	clear(l.values)
	clear(l.old)
	hasOld, hasNew := false, false
	for len(c.data) > 0 && !hasNew {
		switch part := c.byte(); part {
		case pglogrepl.UpdateMessageTupleTypeKey, pglogrepl.UpdateMessageTupleTypeOld:
			hasOld = true
			c.tuple(l.slots, l.old)
		case pglogrepl.UpdateMessageTupleTypeNew:
			hasNew = true
			c.tuple(l.slots, l.values)
		default:
			return fmt.Errorf("a message of the log has a part %q that is not known", part)
		}
	}
	if c.err != nil {
		return c.err
	}
	l.table.encoding.values(l.values)
	l.table.encoding.values(l.old)
	s.queue.put(func(w *work) {
		w.position, w.at = s.transaction.position, s.transaction.at
		w.rows++
		if w.first.IsZero() {
			w.first = w.at
		}
		w.bytes += len(data)
		s.apply(w, l, pglogrepl.MessageType(data[0]), hasOld)
	})
	return nil
}

// apply adds a change to a work. A row whose key changes is a row that goes and one that comes.
func (s *stream) apply(w *work, l *layout, kind pglogrepl.MessageType, hasOld bool) {
	t, counts := l.table, w.count(l.table)
	switch kind {
	case pglogrepl.MessageTypeDelete:
		counts.deleted++
		s.delete(w, t, l.old)
	case pglogrepl.MessageTypeInsert:
		counts.inserted++
		key := t.keyOf(l.values)
		w.touch(t, key, true)
		s.rejects.upsert(w, t, t.row(l.values, w.position), key)
	default:
		counts.updated++
		row, key := t.row(l.values, w.position), t.keyOf(l.values)
		w.touch(t, key, false)
		if hasOld && t.keyOf(l.old) != key {
			s.delete(w, t, l.old)
			row.Moved()
		}
		s.rejects.upsert(w, t, row, key)
	}
}

func (s *stream) delete(w *work, t *table, old []value) {
	row := rowKey{t.FullName(), t.keyOf(old)}
	w.touch(t, row.key, false)
	w.deleted = append(w.deleted, row)
	s.rejects.resolve(w, row)
	rec, err := t.stub(old, w.position).Tombstone(w.at.UnixMilli())
	if err == nil { // else no record ever had this id
		w.batch.Add(rec)
	}
}

// upsert adds the record that a row gives, or that it gives none.
func (o *openRejects) upsert(w *work, t *table, row *record.Row, key string) {
	if o.has(rowKey{t.FullName(), key}) {
		row.Moved() // the version before is not known
	}
	if rec := o.read(w, t, row, key); rec != nil {
		w.batch.Add(rec)
	}
}

// read reads the record that a row gives, and notes in the work when it gives none; nil.
func (o *openRejects) read(w *work, t *table, row *record.Row, key string) record.Record {
	name := rowKey{t.FullName(), key}
	rec, err := row.Record()
	if wrong, ok := errors.AsType[*record.Error](err); ok {
		o.add(name)
		w.count(t).rejected++
		w.rejects = append(w.rejects, reject{name, t.Record, w.position, w.at, wrong})
		return nil
	}
	if record.VersionOf(rec).Unsent&record.FieldOther == 0 {
		o.resolve(w, name)
	}
	return rec
}
