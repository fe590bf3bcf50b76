package replica

import (
	"context"
	"maps"
	"slices"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// MemberRows returns the keys of the source's rows of which the batch has a member that is not just a tombstone.
func (b *Batch) MemberRows() (keys []string) {
	for _, r := range b.members.list {
		if !r.Tombstone {
			keys = append(keys, r.SourceKey)
		}
	}
	return keys
}

// MembersOf returns the members that the batch's rows of a source stand for, and those that the same rows stood for
// before.
func (w *Writer) MembersOf(ctx context.Context, b *Batch) ([]record.Identity, error) {
	ctx, cancel := w.statement(ctx)
	defer cancel()
	owned, err := w.members.owned(ctx, b.members.list)
	if err != nil {
		return nil, err
	}
	members := map[record.Identity]struct{}{}
	for _, r := range b.members.list {
		if r.OrgID != "" && r.UserID != "" {
			members[r.Identity()] = struct{}{}
		}
		for _, old := range owned[r.SourceKey] {
			members[old.Identity()] = struct{}{}
		}
	}
	return slices.Collect(maps.Keys(members)), nil
}

// Stored returns those of some ids of which the replica of a kind may have a record, deleted or not: all that it has,
// and seldom another one.
func (w *Writer) Stored(ctx context.Context, kind record.Kind, ids []string) (stored []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, cancel := w.statement(ctx)
	defer cancel()
	if kind == record.KindConversation {
		rows, err := w.conversations.find(ctx, ids)
		return keep(ids, func(id string) bool { return rows[id] != nil }), err
	}
	locations := w.messages.locations
	if kind == record.KindKBFile {
		locations = w.kbFiles.locations
	}
	at, err := locations.Find(ctx, index.Hashes(ids))
	return keep(ids, func(id string) bool { return len(at[index.Hash(id)]) > 0 }), err
}

func keep(ids []string, wanted func(string) bool) (kept []string) {
	for _, id := range ids {
		if wanted(id) {
			kept = append(kept, id)
		}
	}
	return kept
}
