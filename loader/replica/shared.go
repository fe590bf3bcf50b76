package replica

import (
	"context"

	"github.com/orgstats/orgstats/loader/record"
)

// Has reports whether the batch has a record of an id. Members have none.
func (b *Batch) Has(kind, id string) bool {
	switch kind {
	case "conversation":
		return b.conversations.has(id)
	case "message":
		return b.messages.has(id)
	case "kbFile":
		return b.kbFiles.has(id)
	}
	return false
}

// MemberRows are the keys of the source's rows of which the batch has a member that is not just a tombstone.
func (b *Batch) MemberRows() (keys []string) {
	for _, r := range b.members.list {
		if r.Kept != record.KeptAll {
			keys = append(keys, r.SourceKey)
		}
	}
	return keys
}

// MemberPlace is an organization's user.
type MemberPlace struct{ OrgID, UserID string }

// MembersOf are the members that the batch's rows of a source give, and those that the same rows gave before.
func (w *Writer) MembersOf(ctx context.Context, b *Batch) (all []MemberPlace, err error) {
	ctx, cancel := w.statement(ctx)
	defer cancel()
	owned, err := w.members.owned(ctx, b.members.list)
	if err != nil {
		return nil, err
	}
	places := map[MemberPlace]struct{}{}
	for _, r := range b.members.list {
		if r.OrgID != "" && r.UserID != "" {
			places[MemberPlace{r.OrgID, r.UserID}] = struct{}{}
		}
		for _, old := range owned[r.SourceKey] {
			places[MemberPlace{old.OrgID, old.UserID}] = struct{}{}
		}
	}
	for place := range places {
		all = append(all, place)
	}
	return all, nil
}

// Stored are those of some ids of which the replica of a kind may have a record, deleted or not: all that it has, and
// seldom another one.
func (w *Writer) Stored(ctx context.Context, kind string, ids []string) (stored []string, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	ctx, cancel := w.statement(ctx)
	defer cancel()
	if kind == "conversation" {
		rows, err := w.conversations.find(ctx, ids)
		return keep(ids, func(id string) bool { return rows[id] != nil }), err
	}
	positions := w.messages.positions
	if kind == "kbFile" {
		positions = w.kbFiles.positions
	}
	hashes := make([]uint64, len(ids))
	for i, id := range ids {
		hashes[i] = hashOf(id)
	}
	at, err := positions.find(ctx, hashes)
	return keep(ids, func(id string) bool { return len(at[hashOf(id)]) > 0 }), err
}

func keep(ids []string, wanted func(string) bool) (kept []string) {
	for _, id := range ids {
		if wanted(id) {
			kept = append(kept, id)
		}
	}
	return kept
}
