package rollup

import (
	"cmp"
	"maps"
	"slices"

	"github.com/orgstats/orgstats/schema/cells"
)

// bucket is a bucket of an organization's time, by its start in milliseconds since 1970 UTC.
type bucket struct {
	orgID string
	at    int64
}

// group is a set of buckets that one statement computes, which reads what the organizations have between the first and
// the last.
type group []bucket

// Statements read a bucket each while there are few days, so that two far-apart changes don't cost what lies between;
// and as many months as one statement can handle when there are more.
const (
	maxDays          = 16
	maxStatementRows = 3_000_000
)

// groups divides buckets for statements, so many at least if they can be, given about how many rows the months of
// organizations have; nil says that the buckets are those of few days.
//
// A statement reads what lies between its first and its last bucket. So months of an organization too large for one
// statement are shared out by themselves; smaller organizations are put together, each with all of its months.
func groups(buckets map[bucket]struct{}, rows map[bucket]uint64, statements uint64) []group {
	if rows == nil {
		byDay := map[int64]group{}
		for b := range buckets {
			byDay[cells.Day.Start(b.at)] = append(byDay[cells.Day.Start(b.at)], b)
		}
		return slices.Collect(maps.Values(byDay))
	}
	byMonth, sizes := map[bucket]group{}, map[string]uint64{}
	var all uint64
	for b := range buckets {
		month := bucket{b.orgID, cells.Month.Start(b.at)}
		if byMonth[month] == nil {
			sizes[b.orgID] += rows[month]
			all += rows[month]
		}
		byMonth[month] = append(byMonth[month], b)
	}
	limit := min(maxStatementRows, all/statements+all/20) // some more, because months differ
	large, small := packer{limit: limit}, packer{limit: limit}
	for _, month := range slices.SortedFunc(maps.Keys(byMonth), byOrganization) {
		if sizes[month.orgID] > limit {
			large.add(byMonth[month], rows[month], month.orgID)
		} else {
			small.add(byMonth[month], rows[month], "")
		}
	}
	return append(large.groups, small.groups...)
}

// packer puts buckets that come one after the other into groups of limited rows.
type packer struct {
	limit, rows uint64
	share       string // the organization of the last group, "" for one of several
	groups      []group
}

func (p *packer) add(buckets group, rows uint64, share string) {
	last := len(p.groups) - 1
	if p.rows += rows; last < 0 || p.rows > p.limit || p.share != share {
		p.groups, p.rows, p.share = append(p.groups, buckets), rows, share
		return
	}
	p.groups[last] = append(p.groups[last], buckets...)
}

func byOrganization(a, b bucket) int {
	return cmp.Or(cmp.Compare(a.orgID, b.orgID), cmp.Compare(a.at, b.at))
}

// coarser returns the buckets of a grain that hold the hours.
func coarser(hours map[hour]struct{}, grain cells.Grain) map[bucket]struct{} {
	buckets := map[bucket]struct{}{}
	for h := range hours {
		buckets[bucket{h.orgID, grain.Start(h.start())}] = struct{}{}
	}
	return buckets
}

// bounds returns the first instant of the first bucket and one after the last instant of the last, given the length of
// the longest bucket.
func (g group) bounds(length int64) (from, until int64) {
	byTime := func(a, b bucket) int { return cmp.Compare(a.at, b.at) }
	return slices.MinFunc(g, byTime).at, slices.MaxFunc(g, byTime).at + length
}
