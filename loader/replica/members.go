package replica

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
)

// members is the replica of the organizations' members.
type members struct {
	conn  clickhouse.Conn
	stale *staleHours
}

// memberRows are stored members by organization and user.
type memberRows map[memberKey]*record.Member

// apply writes what the records change and tells how many do. Numbers are those of the records' users.
func (m *members) apply(ctx context.Context, batch uint64, records []*record.Member, numbers map[ownedKey]uint32) (changed int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	owned, err := m.owned(ctx, records)
	if err != nil {
		return 0, err
	}
	targets, left := settleMembers(records, owned)
	stored, err := m.find(ctx, append(slices.Clone(targets), left...), numbers)
	if err != nil {
		return 0, err
	}
	rows := make(memberRows, len(targets))
	for _, r := range slices.Concat(left, targets) { // who comes to a place goes before who left it
		key := memberKey{orgID: r.OrgID, userID: r.UserID}
		if old := stored[key]; old == nil || !r.Before(&old.Version) && !sameMember(r, old) {
			rows[key] = r
		}
	}
	if len(rows) == 0 {
		return 0, nil
	}
	return len(rows), m.write(ctx, batch, slices.Collect(maps.Values(rows)), numbers)
}

// settleMembers tells where the records' rows stand in the end, and which members are no more because the source's row
// that gave them was deleted or gives another one now.
func settleMembers(records []*record.Member, owned map[string][]*record.Member) (targets, left []*record.Member) {
	for _, r := range records {
		if r.Tombstone {
			r = record.NewTombstone(record.KindMember, r.SourceKey, r.LSN, r.DeletedAt).(*record.Member)
		}
		for _, old := range owned[r.SourceKey] {
			same := old.OrgID == r.OrgID && old.UserID == r.UserID
			switch {
			case same && r.IsPartial():
				r = r.After(old)
			case !same && !old.Deleted && old.LSN <= r.LSN:
				left = append(left, memberDeletion(r).After(old))
			}
		}
		if !r.IsPartial() {
			targets = append(targets, r)
		}
	}
	return targets, left
}

// memberDeletion is the end of a membership by the change r.
func memberDeletion(r *record.Member) *record.Member {
	at := r.UpdatedAt
	if r.Deleted {
		at = r.DeletedAt
	}
	return record.NewTombstone(record.KindMember, r.SourceKey, r.LSN, at).(*record.Member)
}

// sameMember tells whether nothing distinguishes two members. The paths follow from the metadata.
func sameMember(a, b *record.Member) bool {
	return a.Metadata == b.Metadata && a.UpdatedAt == b.UpdatedAt && a.Deleted == b.Deleted && a.DeletedAt == b.DeletedAt &&
		a.LSN == b.LSN && a.SourceKey == b.SourceKey
}

const memberColumns = `
    toString(org_id), user_id, metadata, metadata_paths, metadata_pair_paths, metadata_pair_values,
    toUnixTimestamp64Milli(updated_at), deleted_at, log_position, source_key, user_no`

func scanMember(scan func(...any) error) (r *record.Member, userNo uint32, err error) {
	r = &record.Member{}
	var deletedAt *time.Time
	err = scan(&r.OrgID, &r.UserID, &r.Metadata, &r.Paths, &r.PairPaths, &r.PairValues, &r.UpdatedAt, &deletedAt, &r.LSN, &r.SourceKey, &userNo)
	r.DeletedAt, r.Deleted = deletion(deletedAt)
	return r, userNo, err
}

// find looks up the members of the records' organizations and users, and adds the numbers of those that are stored.
func (m *members) find(ctx context.Context, records []*record.Member, numbers map[ownedKey]uint32) (memberRows, error) {
	found := memberRows{}
	if len(records) == 0 {
		return found, nil
	}
	set := stringKeys("org_id", columnOf(records, func(r **record.Member) string { return (*r).OrgID }))
	set.column("user_id", "String", columnOf(records, func(r **record.Member) string { return (*r).UserID }))
	const statement = `SELECT` + memberColumns + `
FROM members
WHERE (org_id, user_id) IN (SELECT org_id, user_id FROM keys)
ORDER BY org_id, user_id, version DESC
LIMIT 1 BY org_id, user_id`
	err := query(ctx, m.conn, "members", set, statement, func(scan func(...any) error) error {
		r, no, err := scanMember(scan)
		found[memberKey{orgID: r.OrgID, userID: r.UserID}], numbers[userOf(r)] = r, no
		return err
	})
	return found, err
}

// owned looks up the members that the source's rows of the records gave last, by the row's key. A member that another
// row has taken over since is not among them.
func (m *members) owned(ctx context.Context, records []*record.Member) (map[string][]*record.Member, error) {
	var sources []string
	for _, r := range records {
		if r.SourceKey != "" {
			sources = append(sources, r.SourceKey)
		}
	}
	owned := map[string][]*record.Member{}
	if len(sources) == 0 {
		return owned, nil
	}
	const statement = `SELECT` + memberColumns + `
FROM members
WHERE (org_id, user_id) IN
(
    SELECT org_id, user_id
    FROM members
    WHERE source_key IN (SELECT source_key FROM keys)
)
ORDER BY org_id, user_id, version DESC
LIMIT 1 BY org_id, user_id`
	err := query(ctx, m.conn, "members of a source's rows", stringKeys("source_key", sources), statement, func(scan func(...any) error) error {
		r, _, err := scanMember(scan)
		if r.SourceKey != "" {
			owned[r.SourceKey] = append(owned[r.SourceKey], r)
		}
		return err
	})
	return owned, err
}

// userOf is the user that a member is.
func userOf(r *record.Member) ownedKey { return ownedKey{r.OrgID, r.UserID} }

// usersOf are the users of the records that tell whom they are about; the others are about stored members.
func usersOf(records []*record.Member) (users []ownedKey) {
	for _, r := range records {
		if r.OrgID != "" && r.UserID != "" {
			users = append(users, userOf(r))
		}
	}
	return users
}

func (m *members) write(ctx context.Context, batch uint64, rows []*record.Member, numbers map[ownedKey]uint32) error {
	if err := m.stale.mark(ctx, setOf(rows, func(r **record.Member) string { return (*r).OrgID }), nil); err != nil {
		return err
	}
	return insert(ctx, m.conn, `INSERT INTO members (org_id, user_id, user_no, metadata, metadata_paths, metadata_pair_paths,
    metadata_pair_values, updated_at, deleted_at, log_position, source_key, version, is_deleted)`, rows,
		each(func(r **record.Member) string { return (*r).OrgID }),
		each(func(r **record.Member) string { return (*r).UserID }),
		each(func(r **record.Member) uint32 { return numbers[userOf(*r)] }),
		each(func(r **record.Member) string { return (*r).Metadata }),
		each(func(r **record.Member) []string { return (*r).Paths }),
		each(func(r **record.Member) []string { return (*r).PairPaths }),
		each(func(r **record.Member) []string { return (*r).PairValues }),
		each(func(r **record.Member) int64 { return (*r).UpdatedAt }),
		each(func(r **record.Member) *int64 { return nullableTime((*r).DeletedAt, (*r).Deleted) }),
		each(func(r **record.Member) uint64 { return (*r).LSN }),
		each(func(r **record.Member) string { return (*r).SourceKey }),
		same[*record.Member](batch),
		each(func(r **record.Member) uint8 { return bit((*r).Deleted) }))
}
