package replica

import (
	"context"
	"slices"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
)

// members is the replica of the organisations' members.
type members struct {
	conn  clickhouse.Conn
	stale *staleHours
}

// memberState is what of a stored member decides whether a record changes it. The paths follow from the metadata.
type memberState struct {
	metadata             string
	updatedAt, deletedAt int64
	deleted              bool
}

func stateOf(r *record.Member) memberState {
	return memberState{r.Metadata, r.UpdatedAt, r.DeletedAt, r.Deleted}
}

// apply writes what the records change and tells how many do.
func (m *members) apply(ctx context.Context, batch uint64, records []*record.Member) (changed int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	stored, err := m.find(ctx, records)
	if err != nil {
		return 0, err
	}
	rows := slices.DeleteFunc(slices.Clone(records), func(r *record.Member) bool {
		old, ok := stored[memberKey{r.OrgID, r.UserID}]
		return ok && (r.UpdatedAt < old.updatedAt || stateOf(r) == old)
	})
	if len(rows) == 0 {
		return 0, nil
	}
	return len(rows), m.write(ctx, batch, rows)
}

func (m *members) find(ctx context.Context, records []*record.Member) (map[memberKey]memberState, error) {
	set := stringKeys("org_id", columnOf(records, func(r **record.Member) string { return (*r).OrgID }))
	set.column("user_id", "String", columnOf(records, func(r **record.Member) string { return (*r).UserID }))
	const statement = `
SELECT toString(org_id), user_id, metadata, toUnixTimestamp64Milli(updated_at), deleted_at
FROM members
WHERE (org_id, user_id) IN (SELECT org_id, user_id FROM keys)
ORDER BY org_id, user_id, version DESC
LIMIT 1 BY org_id, user_id`
	found := map[memberKey]memberState{}
	err := query(ctx, m.conn, "members", set, statement, func(scan func(...any) error) error {
		var key memberKey
		var state memberState
		var deletedAt *time.Time
		err := scan(&key.orgID, &key.userID, &state.metadata, &state.updatedAt, &deletedAt)
		state.deletedAt, state.deleted = deletion(deletedAt)
		found[key] = state
		return err
	})
	return found, err
}

func (m *members) write(ctx context.Context, batch uint64, rows []*record.Member) error {
	if err := m.stale.mark(ctx, setOf(rows, func(r **record.Member) string { return (*r).OrgID }), nil); err != nil {
		return err
	}
	return insertColumns(ctx, m.conn, `INSERT INTO members (org_id, user_id, metadata, metadata_paths, metadata_pair_paths,
    metadata_pair_values, updated_at, deleted_at, version, is_deleted)`,
		columnOf(rows, func(r **record.Member) string { return (*r).OrgID }),
		columnOf(rows, func(r **record.Member) string { return (*r).UserID }),
		columnOf(rows, func(r **record.Member) string { return (*r).Metadata }),
		columnOf(rows, func(r **record.Member) []string { return (*r).Paths }),
		columnOf(rows, func(r **record.Member) []string { return (*r).PairPaths }),
		columnOf(rows, func(r **record.Member) []string { return (*r).PairValues }),
		columnOf(rows, func(r **record.Member) int64 { return (*r).UpdatedAt }),
		columnOf(rows, func(r **record.Member) *int64 { return nullableTime((*r).DeletedAt, (*r).Deleted) }),
		repeat(len(rows), batch),
		columnOf(rows, func(r **record.Member) uint8 { return bit((*r).Deleted) }))
}
