package rollup

import (
	"slices"
	"testing"

	"github.com/orgstats/orgstats/schema/cells"
)

// Buckets of few days are computed day by day; of many, small organizations together and each whole, large ones by
// themselves; and every bucket once.
func TestStatementsGetBucketsThatBelongTogether(t *testing.T) {
	const statements = 2
	months := map[bucket]struct{}{}
	rows := map[bucket]uint64{}
	for m := range 6 {
		at := cells.Month.Start(int64(m-3) * 31 * cells.MsPerDay) // some before 1970
		for org, n := range map[string]uint64{"large": 1_000_000, "small": 1000, "tiny": 10} {
			months[bucket{org, at}], rows[bucket{org, at}] = struct{}{}, n
		}
	}
	var all group
	for _, g := range groups(months, rows, statements) {
		all = append(all, g...)
		if slices.ContainsFunc(g, func(b bucket) bool { return (b.orgID == "large") != (g[0].orgID == "large") }) {
			t.Errorf("a large organization is with others: %v", g)
		}
		if from, until := g.bounds(cells.Month.MaxLength()); from > g[0].at || until < g[len(g)-1].at {
			t.Errorf("%v is not within %d and %d", g, from, until)
		}
	}
	seen := map[bucket]struct{}{}
	for _, b := range all {
		seen[b] = struct{}{}
	}
	if len(all) != len(months) || len(seen) != len(months) {
		t.Errorf("%d of %d buckets are in groups, %d in all", len(seen), len(months), len(all))
	}
	days := map[bucket]struct{}{{"a", 0}: {}, {"b", 3_600_000}: {}, {"a", -3_600_000}: {}}
	if got := groups(days, nil, 1); len(got) != 2 {
		t.Errorf("the buckets of two days are %v", got)
	}
}

// What is touched is remembered exactly as long as it is little, and then not at all.
func TestWhatIsTouchedIsRemembered(t *testing.T) {
	of := func(n int) Change {
		messages := func(yield func(Message) bool) {
			for i := range n {
				if !yield(Message{OrgID: "o", AgentID: "a", UserNo: 1, ConversationNo: uint32(i), CreatedAt: -1}) {
					return
				}
			}
		}
		return Change{Lost: messages, Gained: messages, Rows: n}
	}
	touched := newTouched()
	touched.note(of(3))
	if len(touched.gone) != 1 || len(touched.activity) != 3 || !touched.activity[activityKey{hourOf("o", -1), 1, 2}] {
		t.Errorf("three messages that were replaced: %+v", touched)
	}
	if hours := of(3).touchedHours(); len(hours) != 1 {
		t.Errorf("their hours: %v", hours)
	}
	touched.note(of(maxTouched + 1))
	if touched.note(of(1)); touched.exact || len(touched.activity) > 0 {
		t.Errorf("too much is remembered: %d", len(touched.activity))
	}
}
