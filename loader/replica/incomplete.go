package replica

import (
	"context"

	"github.com/orgstats/orgstats/loader/record"
)

// Floors are the places in the log from which on the replicas have missed no change, by type of record.
type Floors struct{ Messages, Members uint64 }

// Missing are the records of a batch of which the replicas do not have enough to tell what their sources did not send:
// the keys of their rows by type of record.
type Missing map[string][]string

// Incomplete tells what is missing. Each of it must be given to Complete before the batch can be applied.
func (w *Writer) Incomplete(ctx context.Context, b *Batch, floors Floors) (Missing, error) {
	ctx, cancel := w.statement(ctx)
	defer cancel()
	missing := Missing{}
	for _, r := range b.conversations.list {
		if incomplete(r.Kept) {
			missing["conversation"] = append(missing["conversation"], r.ID)
		}
	}
	for _, r := range b.kbFiles.list {
		if incomplete(r.Kept) {
			missing["kbFile"] = append(missing["kbFile"], r.ID)
		}
	}
	if err := w.incompleteMessages(ctx, b, floors.Messages, missing); err != nil {
		return nil, err
	}
	return missing, w.incompleteMembers(ctx, b, floors.Members, missing)
}

// incomplete tells whether anything is missing: nothing is of a deletion.
func incomplete(kept record.Fields) bool { return kept != 0 && kept != record.KeptAll }

func (w *Writer) incompleteMessages(ctx context.Context, b *Batch, floor uint64, missing Missing) error {
	var ids []string
	for _, r := range b.messages.list {
		if incomplete(r.Kept) {
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
		if !incomplete(r.Kept) {
			continue
		}
		old := stored.rows[r.ID]
		if old == nil || old.LogPosition < floor || old.LogPosition == 0 || r.Kept&record.KeptUnknown != 0 || old.Tools.Parts < 0 {
			missing["message"] = append(missing["message"], r.ID)
		}
	}
	return nil
}

func (w *Writer) incompleteMembers(ctx context.Context, b *Batch, floor uint64, missing Missing) error {
	var records []*record.Member
	for _, r := range b.members.list {
		if incomplete(r.Kept) {
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
			known = known || old.OrgID == r.OrgID && old.UserID == r.UserID && old.LogPosition >= floor
		}
		if !known || r.Kept&record.KeptUnknown != 0 {
			missing["member"] = append(missing["member"], r.SourceKey)
		}
	}
	return nil
}

// Complete puts whole records in the place of those that were missing something, and leaves out the others of the
// missing: their rows are gone from the source, and their deletion comes later in its log.
func (b *Batch) Complete(missing Missing, found []record.Record) {
	b.conversations.drop(missing["conversation"])
	b.messages.drop(missing["message"])
	b.kbFiles.drop(missing["kbFile"])
	members := make([]memberKey, len(missing["member"]))
	for i, key := range missing["member"] {
		members[i] = memberKey{sourceKey: key}
	}
	b.members.drop(members)
	for _, r := range found {
		b.Add(r)
	}
}

// Drop takes out the records that gone says it of, by their type and id or, of members, the key of their row.
func (b *Batch) Drop(gone func(kind, key string) bool) {
	missing := Missing{}
	note := func(kind, key string) {
		if gone(kind, key) {
			missing[kind] = append(missing[kind], key)
		}
	}
	for _, r := range b.conversations.list {
		note("conversation", r.ID)
	}
	for _, r := range b.messages.list {
		note("message", r.ID)
	}
	for _, r := range b.kbFiles.list {
		note("kbFile", r.ID)
	}
	for _, r := range b.members.list {
		note("member", r.SourceKey)
	}
	b.Complete(missing, nil)
}
