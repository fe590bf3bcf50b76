package replica

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

const msPerDay = 24 * msPerHour

func dayOf(ms int64) int32 { return int32(floorDiv(ms, msPerDay)) }

// Starts of the buckets, in UTC, that hold an instant.
func hourStart(ms int64) int64 { return floorDiv(ms, msPerHour) * msPerHour }
func dayStart(ms int64) int64  { return floorDiv(ms, msPerDay) * msPerDay }
func monthStart(ms int64) int64 {
	t := time.UnixMilli(ms).UTC()
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMilli()
}

// bucket is a bucket of an organisation's time, by its start in milliseconds since 1970 UTC.
type bucket struct {
	orgID string
	at    int64
}

// group is a set of buckets that one statement computes, which reads what the organisations have between the first and the last.
type group []bucket

// Statements read a bucket each while there are few days, so that two far-apart changes don't cost what lies between; and as
// many months as they can take when there are more.
const (
	maxDays          = 16
	maxStatementRows = 4_000_000
)

// groups divides buckets for statements, so many if months are many enough, given how many rows the organisations have in each month, about;
// nil says that the buckets are those of few days.
func groups(buckets map[bucket]struct{}, rows map[int64]uint64, statements uint64) []group {
	start := monthStart
	if rows == nil {
		start = dayStart
	}
	byStart := map[int64]group{}
	for b := range buckets {
		byStart[start(b.at)] = append(byStart[start(b.at)], b)
	}
	if rows == nil {
		return slices.Collect(maps.Values(byStart))
	}
	var all, total uint64
	for month := range byStart {
		all += rows[month]
	}
	limit := min(maxStatementRows, all/statements+all/20) // some more, because months differ
	var result []group
	for _, month := range slices.Sorted(maps.Keys(byStart)) {
		last := len(result) - 1
		if total += rows[month]; last < 0 || total > limit {
			result, total = append(result, byStart[month]), rows[month]
		} else {
			result[last] = append(result[last], byStart[month]...)
		}
	}
	return result
}

// coarser are the buckets that hold the hours.
func coarser(hours map[hour]struct{}, start func(ms int64) int64) map[bucket]struct{} {
	buckets := map[bucket]struct{}{}
	for h := range hours {
		buckets[bucket{h.orgID, start(int64(h.number) * msPerHour)}] = struct{}{}
	}
	return buckets
}

// bounds are the first instant of the first bucket and one after the last instant of the last, given how long a bucket
// is at most.
func (g group) bounds(length int64) (from, until int64) {
	byTime := func(a, b bucket) int { return cmp.Compare(a.at, b.at) }
	return slices.MinFunc(g, byTime).at, slices.MaxFunc(g, byTime).at + length
}
