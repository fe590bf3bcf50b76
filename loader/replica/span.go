package replica

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

const msPerDay = 24 * msPerHour

func dayOf(ms int64) int32 { return int32(floorDiv(ms, msPerDay)) }

// span is a stretch of an organisation's time, in milliseconds since 1970 UTC: from <= t < until.
type span struct {
	orgID       string
	from, until int64
}

// days widens the span to whole days, months to whole months, in UTC.
func (s span) days() span {
	return span{s.orgID, floorDiv(s.from, msPerDay) * msPerDay, -floorDiv(-s.until, msPerDay) * msPerDay}
}

func (s span) months() span {
	from, last := time.UnixMilli(s.from).UTC(), time.UnixMilli(s.until-1).UTC()
	return span{
		s.orgID,
		time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
		time.Date(last.Year(), last.Month()+1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(),
	}
}

// spansOf joins hours to spans, by organisation and in order.
func spansOf(hours map[hour]struct{}) []span {
	spans := make([]span, 0, len(hours))
	for h := range hours {
		spans = append(spans, span{h.orgID, int64(h.number) * msPerHour, (int64(h.number) + 1) * msPerHour})
	}
	return joined(spans)
}

// joined merges spans that touch or overlap.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int {
		return cmp.Or(strings.Compare(a.orgID, b.orgID), cmp.Compare(a.from, b.from))
	})
	var result []span
	for _, s := range spans {
		last := len(result) - 1
		if last >= 0 && result[last].orgID == s.orgID && s.from <= result[last].until {
			result[last].until = max(result[last].until, s.until)
		} else {
			result = append(result, s)
		}
	}
	return result
}

func widened(spans []span, widen func(span) span) []span {
	wide := make([]span, len(spans))
	for i, s := range spans {
		wide[i] = widen(s)
	}
	return joined(wide)
}

// How much one statement computes: more spans make its conditions slow, more time its groups large.
const (
	maxStatementSpans = 50
	maxStatementTime  = 92 * msPerDay
)

// statements cuts spans into groups that one statement each can take. Cuts lie between months, so that no bucket is cut.
func statements(spans []span) [][]span {
	var groups [][]span
	var group []span
	var total int64
	for _, whole := range spans {
		for _, s := range whole.cut() {
			if len(group) == maxStatementSpans || total+s.until-s.from > maxStatementTime && len(group) > 0 {
				groups, group, total = append(groups, group), nil, 0
			}
			group, total = append(group, s), total+s.until-s.from
		}
	}
	if len(group) > 0 {
		groups = append(groups, group)
	}
	return groups
}

// cut cuts the span at the ends of months when it is long.
func (s span) cut() []span {
	var parts []span
	for s.until-s.from > maxStatementTime {
		end := span{s.orgID, s.from, s.from + 1}.months().until
		parts = append(parts, span{s.orgID, s.from, end})
		s.from = end
	}
	return append(parts, s)
}

// within is the condition that a time column lies in one of the spans, and sets its parameters.
func within(column string, spans []span, params clickhouse.Params) string {
	var condition strings.Builder
	for i, s := range spans {
		if i > 0 {
			condition.WriteString("\n   OR ")
		}
		fmt.Fprintf(&condition, "(org_id = {org_%[2]d:String} AND %[1]s >= fromUnixTimestamp64Milli({from_%[2]d:Int64}, 'UTC') "+
			"AND %[1]s < fromUnixTimestamp64Milli({until_%[2]d:Int64}, 'UTC'))", column, i)
		params.String(fmt.Sprintf("org_%d", i), s.orgID)
		params.Int64(fmt.Sprintf("from_%d", i), s.from)
		params.Int64(fmt.Sprintf("until_%d", i), s.until)
	}
	return "(" + condition.String() + ")"
}
