package stats

import (
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// Figures by user, or by a value of the users' metadata, are summed up for each question alone: buckets of all users
// would fill the memory. Whole hours come from user activity, in one statement, and what is left of the window from
// messages, in another one.

// ofUsers reports whether the groups are users, or made of users.
func (d Dimension) ofUsers() bool { return d == ByUser || d == ByMetadata }

// needsMembers reports whether members decide which records count, or which rows they count in.
func (q Question) needsMembers() bool { return q.byMetadata() || q.Grouping.By == ByMetadata }

// maxUserGroups is how many users, times the intervals in which they have records, are summed up for a question in
// memory; it is some 40 MB of them. ClickHouse answers by the plain query where there are more. Tests change it.
var maxUserGroups = 50_000

// atMostUserGroups returns the settings of a statement that returns a row for each user.
func atMostUserGroups() string {
	return fmt.Sprintf(`
SETTINGS max_result_rows = %d, result_overflow_mode = 'throw'`, maxUserGroups)
}

// summedStatement sums up the activity of users, by slot.
func (p *plan) summedStatement(f *found) statement {
	b := newBuilder(p.question)
	q := clickhouse.Query{Name: KindActivity, SQL: b.activityBuckets(startsOf(p.slots), p.messages.summed, nil) + atMostUserGroups()}
	q.Params = b.params
	return statement{q, func(scan clickhouse.Scan) error {
		start, group, err := scanGroup(scan)
		f.summed[start] = append(f.summed[start], group)
		return err
	}}
}

// userValues are the values that users' metadata have at a path.
type userValues struct {
	values []string            // by group - 1; group 0 is that of users without one
	groups map[uint32][]uint32 // by the number of the user
}

var noValue = []uint32{0}

// of returns the groups of a user.
func (v *userValues) of(user uint32) []uint32 {
	if groups, ok := v.groups[user]; ok {
		return groups
	}
	return noValue
}

// union returns the union of the users of each group.
func (v *userValues) union(users map[uint32]*buckets.Union) map[uint32]*buckets.Union {
	groups := map[uint32]*buckets.Union{}
	for user, union := range users {
		for _, group := range v.of(user) {
			if groups[group] == nil {
				groups[group] = messageRecords.newUnion()
			}
			groups[group].AddUnion(union)
		}
	}
	return groups
}

// valuesStatement reads the values of all users who have one.
func (p *plan) valuesStatement(f *fetched) statement {
	b := newBuilder(p.question)
	b.params.String("path", p.question.Grouping.Path)
	f.values = &userValues{groups: map[uint32][]uint32{}}
	known := map[string]uint32{}
	q := clickhouse.Query{Name: KindNumbers, Params: b.params, SQL: `
SELECT user_no, arrayDistinct(arrayFilter((value, path) -> path = {path:String}, metadata_pair_values, metadata_pair_paths))
FROM members FINAL
WHERE org_id = {org_id:String} AND has(metadata_pair_paths, {path:String})` + atMostUserGroups()}
	return statement{q, func(scan clickhouse.Scan) error {
		var user uint32
		var values []string
		if err := scan(&user, &values); err != nil {
			return err
		}
		for _, value := range values {
			if known[value] == 0 {
				f.values.values = append(f.values.values, value)
				known[value] = uint32(len(f.values.values))
			}
			f.values.groups[user] = append(f.values.groups[user], known[value])
		}
		return nil
	}}
}
