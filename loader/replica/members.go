package replica

import (
	"context"
	"maps"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
	"github.com/orgstats/orgstats/loader/rollup"
)

// members is the replica of the organizations' members.
type members struct {
	conn    clickhouse.Conn
	rollups *rollup.Rollups
}

// memberRows are stored members by organization and user.
type memberRows map[memberKey]*record.Member

// apply writes what the records change and returns how many do. Numbers are those of the records' users.
func (m *members) apply(ctx context.Context, batch uint64, records []*record.Member, numbers map[index.OwnedID]uint32) (changed int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	owned, err := m.owned(ctx, records)
	if err != nil {
		return 0, err
	}
	targets, left := memberChanges(records, owned)
	stored, err := m.find(ctx, append(slices.Clone(targets), left...), numbers)
	if err != nil {
		return 0, err
	}
	rows := make(memberRows, len(targets))
	for _, r := range slices.Concat(left, targets) { // a row that a record writes goes before the one that another left
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

// memberChanges returns the members that the records' rows are in the end, and those that are no more because the
// source's row that they came from was deleted or is another member now.
func memberChanges(records []*record.Member, owned map[string][]*record.Member) (targets, left []*record.Member) {
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

// memberDeletion returns the end of a membership by the change r.
func memberDeletion(r *record.Member) *record.Member {
	at := r.UpdatedAt
	if r.Deleted {
		at = r.DeletedAt
	}
	return record.NewTombstone(record.KindMember, r.SourceKey, r.LSN, at).(*record.Member)
}

// sameMember reports whether nothing distinguishes two members. The paths follow from the metadata.
func sameMember(a, b *record.Member) bool {
	return a.Metadata == b.Metadata && a.UpdatedAt == b.UpdatedAt && a.Deleted == b.Deleted && a.DeletedAt == b.DeletedAt &&
		a.LSN == b.LSN && a.SourceKey == b.SourceKey
}

// lookUp runs a query that selects memberColumns.
func (m *members) lookUp(ctx context.Context, keys *clickhouse.Keys, query string, f func(member)) error {
	return clickhouse.LookUp(ctx, m.conn, "members", keys, query, func(scan clickhouse.Scan) error {
		row := member{Member: &record.Member{}}
		err := memberColumns.Scan(scan, &row)
		f(row)
		return err
	})
}

// find looks up the members of the records' organizations and users, and adds the numbers of those that are stored.
func (m *members) find(ctx context.Context, records []*record.Member, numbers map[index.OwnedID]uint32) (memberRows, error) {
	found := memberRows{}
	if len(records) == 0 {
		return found, nil
	}
	keys := clickhouse.StringKeys("org_id", columnOf(records, func(r *record.Member) string { return r.OrgID })).
		Add("user_id", "String", columnOf(records, func(r *record.Member) string { return r.UserID }))
	query := `
SELECT ` + memberColumns.Select() + `
FROM members
WHERE (org_id, user_id) IN (SELECT org_id, user_id FROM keys)
ORDER BY org_id, user_id, version DESC
LIMIT 1 BY org_id, user_id`
	err := m.lookUp(ctx, keys, query, func(row member) {
		found[memberKey{orgID: row.OrgID, userID: row.UserID}], numbers[userOf(row.Member)] = row.Member, row.userNo
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
	query := `
SELECT ` + memberColumns.Select() + `
FROM members
WHERE (org_id, user_id) IN
(
    SELECT org_id, user_id
    FROM members
    WHERE source_key IN (SELECT source_key FROM keys)
)
ORDER BY org_id, user_id, version DESC
LIMIT 1 BY org_id, user_id`
	err := m.lookUp(ctx, clickhouse.StringKeys("source_key", sources), query, func(row member) {
		if row.SourceKey != "" {
			owned[row.SourceKey] = append(owned[row.SourceKey], row.Member)
		}
	})
	return owned, err
}

// userOf returns the user that a member is.
func userOf(r *record.Member) index.OwnedID { return index.OwnedID{OrgID: r.OrgID, ID: r.UserID} }

// usersOf returns the users of the records that name one; the others are about stored members.
func usersOf(records []*record.Member) (users []index.OwnedID) {
	for _, r := range records {
		if r.OrgID != "" && r.UserID != "" {
			users = append(users, userOf(r))
		}
	}
	return users
}

func (m *members) write(ctx context.Context, batch uint64, rows []*record.Member, numbers map[index.OwnedID]uint32) error {
	if err := m.rollups.MarkOrganizations(ctx, setOf(rows, func(r **record.Member) string { return (*r).OrgID })); err != nil {
		return err
	}
	values := columnOf(rows, func(r *record.Member) member { return member{r, numbers[userOf(r)]} })
	return clickhouse.Insert(ctx, m.conn, "members", values, versioned(memberColumns, batch)...)
}
