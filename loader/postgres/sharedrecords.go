package postgres

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// Rows of a table may share a record where no unique index keeps them from it: a membership that was deleted softly and
// the one that followed it, or rows of two partitions with the same id. A change of one of them must not decide over
// the record that another one still makes. So for such tables the source is asked which rows make the records that a
// batch is about, and the record is what these make together. What is asked for is newer than the batch; the changes
// that made it so are still to come, and ask again.

// claim is what one of several rows says of the record that they share.
type claim struct {
	record.Record
	key string // of the row
}

// weaker reports whether another row of the same record goes before this one: one that is not deleted, then the one
// that changed last.
func (c claim) weaker(other claim) bool {
	version, others := record.VersionOf(c.Record), record.VersionOf(other.Record)
	if version.Deleted != others.Deleted {
		return version.Deleted
	}
	return cmp.Or(cmp.Compare(version.UpdatedAt, others.UpdatedAt), cmp.Compare(c.key, other.key)) < 0
}

// resolveClaims finds the claim that decides over the record. Rows that are not deleted and name different owners are a
// conflict: none of them can be preferred.
func resolveClaims(claims []claim) (winner claim, conflict string) {
	winner = claims[0]
	for _, c := range claims[1:] {
		owner, other := c.Owner(), winner.Owner()
		if !record.VersionOf(c.Record).Deleted && !record.VersionOf(winner.Record).Deleted && owner != other {
			conflict = fmt.Sprintf("occurs in several rows, for %q and for %q, which is ambiguous",
				min(owner, other), max(owner, other))
		}
		if winner.weaker(c) {
			winner = c
		}
	}
	return winner, conflict
}

// resolveShared puts what the source's rows make together in place of the batch's records of tables whose rows may
// share records.
func (s *session) resolveShared(ctx context.Context, w *wal.Changes) error {
	for _, t := range s.tables {
		if !t.SharesRecords {
			continue
		}
		var asked []record.Identity
		err := s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, _ *store) (err error) {
			asked, err = identitiesOf(ctx, writer, w, t)
			return err
		})
		if err != nil {
			return err
		}
		if err := s.resolveTable(ctx, w, t, asked); err != nil {
			return err
		}
	}
	return nil
}

// identitiesOf returns the records that the batch is about: of members, those that its rows make now and those that
// they made before.
func identitiesOf(ctx context.Context, writer *replica.Writer, w *wal.Changes, t *source.Table) (asked []record.Identity, err error) {
	if !t.Record.HasID() {
		return writer.MembersOf(ctx, w.Batch)
	}
	stored, err := writer.Stored(ctx, t.Record, w.Inserted[t.FullName()])
	for id := range w.Uncertain[t.FullName()] {
		if !t.Encoding.CanEncode(id) {
			continue // it made no record
		}
		stored = append(stored, id)
	}
	slices.Sort(stored)
	for _, id := range slices.Compact(stored) {
		asked = append(asked, record.Identity{id})
	}
	return asked, err
}

// resolveTable settles the records of one table.
func (s *session) resolveTable(ctx context.Context, w *wal.Changes, t *source.Table, asked []record.Identity) error {
	if len(asked) == 0 {
		return nil
	}
	claims := map[record.Identity][]claim{}
	err := s.catalog.FetchByIdentity(ctx, t, asked, func(values []source.Value) {
		key := t.KeyOf(values)
		if rec := s.rejects.ReadRecord(w, t, t.Row(values, w.Position), key); rec != nil {
			claims[rec.Identity()] = append(claims[rec.Identity()], claim{rec, key})
		}
	})
	if err != nil {
		return err
	}
	missing := replica.Missing{}
	var found []record.Record
	if !t.Record.HasID() {
		missing[t.Record] = w.Batch.MemberRows()
	}
	for _, id := range asked {
		if t.Record.HasID() {
			missing[t.Record] = append(missing[t.Record], id[0])
		}
		if rec := s.resolveRecord(w, t, id, claims[id]); rec != nil {
			found = append(found, rec)
		}
	}
	w.Batch.Complete(missing, found)
	return nil
}

// resolveRecord returns the record that some rows make, a tombstone where they make none, or nil where nothing is
// known.
func (s *session) resolveRecord(w *wal.Changes, t *source.Table, id record.Identity, claims []claim) record.Record {
	if len(claims) == 0 && !t.Record.HasID() {
		return nil // a row that is gone has its own tombstone in the batch, or later in the WAL
	}
	if len(claims) > 0 {
		winner, conflict := resolveClaims(claims)
		if conflict == "" {
			return winner.Record
		}
		s.rejects.Reject(w, t, winner.key, &record.Error{Type: t.Record.String(), ID: id[0], Field: "id", Reason: conflict})
	}
	return record.NewTombstone(t.Record, id[0], w.Position, w.CommittedAt.UnixMilli())
}
