package replica

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
	"github.com/orgstats/orgstats/loader/rollup"
)

// member is a row of the table members: the record and its user's dense number.
type member struct {
	*record.Member
	userNo uint32
}

var memberColumns = append(versionColumns(func(m *member) *record.Version { return &m.Version }),
	clickhouse.Text("org_id", func(m *member) *string { return &m.OrgID }),
	clickhouse.Field("user_id", func(m *member) *string { return &m.UserID }),
	clickhouse.Field("user_no", func(m *member) *uint32 { return &m.userNo }),
	clickhouse.Field("metadata", func(m *member) *string { return &m.Metadata }),
	clickhouse.Field("metadata_paths", func(m *member) *[]string { return &m.Paths }),
	clickhouse.Field("metadata_pair_paths", func(m *member) *[]string { return &m.PairPaths }),
	clickhouse.Field("metadata_pair_values", func(m *member) *[]string { return &m.PairValues }),
	clickhouse.Field("source_key", func(m *member) *string { return &m.SourceKey }),
	clickhouse.Value("is_deleted", func(m *member) uint8 { return bit(m.Deleted) }))

// members is the replica of the organizations' members.
type members struct {
	rowsOf[member]
	rollups *rollup.Rollups
}

func newMembers(conn clickhouse.Conn, rollups *rollup.Rollups) *members {
	return &members{rowsOf[member]{
		conn: conn, columns: memberColumns, blank: func() *member { return &member{Member: &record.Member{}} },
		of: schema{
			name: "members", sortKey: "org_id, user_id", exists: "1", key: "source_key",
			position: "toString(org_id), toInt64(0), user_id", after: "{org:String}, {id:String}",
		},
	}, rollups}
}

// members returns the members of the batch.
func (b *Batch) members() *winners[record.Identity, *record.Member] {
	return b.sets[record.KindMember].(*winners[record.Identity, *record.Member])
}

// memberKey returns what distinguishes the members of a batch: the key of the row of a source, which may move to
// another organization or user; or the organization and user of one from a file.
func memberKey(r *record.Member) record.Identity {
	if r.SourceKey != "" {
		return sourceKey(r.SourceKey)
	}
	return r.Identity()
}

// sourceKey returns a key that no organization and user have: an organization has an id.
func sourceKey(key string) record.Identity { return record.Identity{"", key} }

// memberRows are stored members by organization and user.
type memberRows map[record.Identity]*record.Member

func (m *members) apply(ctx context.Context, batch uint64, p *plan) (changed int, err error) {
	records, numbers := p.batch.members().list, p.memberNumbers
	if len(records) == 0 {
		return 0, nil
	}
	owned, err := m.owned(ctx, columnOf(records, (*record.Member).Key))
	if err != nil {
		return 0, err
	}
	targets, left := memberChanges(records, owned)
	stored, err := m.find(ctx, append(slices.Clone(targets), left...), numbers)
	if err != nil {
		return 0, err
	}
	changes := make(memberRows, len(targets))
	for _, r := range slices.Concat(left, targets) { // a row that a record writes goes before the one that another left
		if old := stored[r.Identity()]; old == nil || !r.Before(&old.Version) && !sameMember(r, old) {
			changes[r.Identity()] = r
		}
	}
	if len(changes) == 0 {
		return 0, nil
	}
	rows := make([]member, 0, len(changes))
	for _, r := range changes {
		rows = append(rows, member{r, numbers[userOf(r)]})
	}
	if err := m.rollups.MarkMembers(ctx, organizationsOf(rows, func(r *member) string { return r.OrgID })); err != nil {
		return 0, err
	}
	return len(rows), m.insert(ctx, batch, rows)
}

// memberChanges returns the members that the records' rows are in the end, and those that are no more because the
// source's row that they came from was deleted or is another member now.
func memberChanges(records []*record.Member, owned map[string][]*record.Member) (targets, left []*record.Member) {
	for _, r := range records {
		if r.Tombstone {
			r = record.NewTombstone(record.KindMember, r.SourceKey, r.LSN, r.DeletedAt).(*record.Member)
		}
		for _, old := range owned[r.SourceKey] {
			same := old.Identity() == r.Identity()
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

// find looks up the members of the records' organizations and users, and adds the numbers of those that are stored.
func (m *members) find(ctx context.Context, records []*record.Member, numbers map[index.OwnedID]uint32) (memberRows, error) {
	found := memberRows{}
	if len(records) == 0 {
		return found, nil
	}
	keys := clickhouse.StringKeys("org_id", columnOf(records, func(r *record.Member) string { return r.OrgID })).
		Add("user_id", "String", columnOf(records, func(r *record.Member) string { return r.UserID }))
	err := m.lookUp(ctx, keys, "(org_id, user_id) IN (SELECT org_id, user_id FROM keys)", func(row *member) {
		found[row.Identity()], numbers[userOf(row.Member)] = row.Member, row.userNo
	})
	return found, err
}

// owned looks up the members that rows of the source stood for last, by the row's key. A member that another row stands
// for since is not among them.
func (m *members) owned(ctx context.Context, sources []string) (map[string][]*record.Member, error) {
	owned := map[string][]*record.Member{}
	sources = slices.DeleteFunc(sources, func(key string) bool { return key == "" }) // of files
	if len(sources) == 0 {
		return owned, nil
	}
	const where = `(org_id, user_id) IN (SELECT org_id, user_id FROM members WHERE source_key IN (SELECT source_key FROM keys))`
	err := m.lookUp(ctx, clickhouse.StringKeys("source_key", sources), where, func(row *member) {
		if row.SourceKey != "" {
			owned[row.SourceKey] = append(owned[row.SourceKey], row.Member)
		}
	})
	return owned, err
}

func (m *members) stored(context.Context, []string) ([]string, error) {
	return nil, errors.New("members have no ids")
}

func (m *members) lacking(ctx context.Context, partial []record.Record, floor uint64) (keys []string, err error) {
	owned, err := m.owned(ctx, columnOf(partial, record.Record.Key))
	for _, r := range partial {
		known := slices.ContainsFunc(owned[r.Key()], func(old *record.Member) bool {
			return old.Identity() == r.Identity() && old.LSN >= floor
		})
		if !known || record.VersionOf(r).Unsent&record.FieldOther != 0 {
			keys = append(keys, r.Key())
		}
	}
	return keys, err
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

// MemberRows returns the keys of the source's rows of which the batch has a member that is not just a tombstone.
func (b *Batch) MemberRows() (keys []string) {
	for _, r := range b.members().list {
		if !r.Tombstone {
			keys = append(keys, r.SourceKey)
		}
	}
	return keys
}

// MembersOf returns the members that the batch's rows of a source stand for, and those that the same rows stood for
// before.
func (w *Writer) MembersOf(ctx context.Context, b *Batch) ([]record.Identity, error) {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	records := b.members().list
	owned, err := w.members.owned(ctx, columnOf(records, (*record.Member).Key))
	members := map[record.Identity]struct{}{}
	for _, r := range records {
		if r.OrgID != "" && r.UserID != "" {
			members[r.Identity()] = struct{}{}
		}
		for _, old := range owned[r.SourceKey] {
			members[old.Identity()] = struct{}{}
		}
	}
	return slices.Collect(maps.Keys(members)), err
}
