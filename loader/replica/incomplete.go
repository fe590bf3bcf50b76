package replica

import (
	"context"

	"github.com/orgstats/orgstats/loader/record"
)

// Floors are the LSNs from which on the replicas have missed no change, by kind of record.
type Floors [record.NumKinds]uint64

// Missing are the records of a batch of which the replicas do not have enough to fill in what their sources did not
// send: the keys of their rows by kind of record.
type Missing map[record.Kind][]string

// Incomplete returns what is missing. All of it must be given to Complete before the batch can be applied.
func (w *Writer) Incomplete(ctx context.Context, b *Batch, floors Floors) (Missing, error) {
	ctx, cancel := w.statement(ctx)
	defer cancel()
	missing := Missing{}
	for _, kind := range []record.Kind{record.KindConversation, record.KindKBFile} {
		for r := range b.sets[kind].all {
			if record.VersionOf(r).Unsent != 0 {
				missing[kind] = append(missing[kind], r.Key())
			}
		}
	}
	if err := w.incompleteMessages(ctx, b, floors[record.KindMessage], missing); err != nil {
		return nil, err
	}
	return missing, w.incompleteMembers(ctx, b, floors[record.KindMember], missing)
}

func (w *Writer) incompleteMessages(ctx context.Context, b *Batch, floor uint64, missing Missing) error {
	var ids []string
	for _, r := range b.messages.list {
		if r.Unsent != 0 {
			ids = append(ids, r.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	stored, err := w.messages.find(ctx, ids)
	if err != nil {
		return err
	}
	for _, r := range b.messages.list {
		if r.Unsent == 0 {
			continue
		}
		old := stored.rows[r.ID]
		if old == nil || old.LSN < floor || old.LSN == 0 || r.Unsent&record.FieldOther != 0 || old.Tools.Parts < 0 {
			missing[record.KindMessage] = append(missing[record.KindMessage], r.ID)
		}
	}
	return nil
}

func (w *Writer) incompleteMembers(ctx context.Context, b *Batch, floor uint64, missing Missing) error {
	var records []*record.Member
	for _, r := range b.members.list {
		if r.Unsent != 0 {
			records = append(records, r)
		}
	}
	owned, err := w.members.owned(ctx, records)
	if err != nil {
		return err
	}
	for _, r := range records {
		known := false
		for _, old := range owned[r.SourceKey] {
			known = known || old.OrgID == r.OrgID && old.UserID == r.UserID && old.LSN >= floor
		}
		if !known || r.Unsent&record.FieldOther != 0 {
			missing[record.KindMember] = append(missing[record.KindMember], r.SourceKey)
		}
	}
	return nil
}

// Complete replaces the records that were missing something by whole ones, and removes the others of the missing: their
// rows are gone from the source, and their deletion comes later in its WAL.
func (b *Batch) Complete(missing Missing, found []record.Record) {
	for kind, keys := range missing {
		b.sets[kind].drop(keys)
	}
	for _, r := range found {
		b.Add(r)
	}
}

// Drop removes the records whose kind and key gone reports.
func (b *Batch) Drop(gone func(kind record.Kind, key string) bool) {
	missing := Missing{}
	for i, set := range b.sets {
		kind := record.Kind(i)
		for r := range set.all {
			if gone(kind, r.Key()) {
				missing[kind] = append(missing[kind], r.Key())
			}
		}
	}
	b.Complete(missing, nil)
}
