package main

import (
	"math/rand/v2"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service/stats"
)

// window is a kind of window that dashboards request.
type window struct {
	name        string
	from, until time.Time
}

func instant(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err) // a constant of this file is wrong
	}
	return t
}

// windows are within the year that ends at until.
var windows = []window{
	{"hour", instant("2025-10-15T15:00:00Z"), instant("2025-10-15T16:00:00Z")},
	{"hour, ragged", instant("2025-10-15T14:17:23.456Z"), instant("2025-10-15T15:17:23.456Z")},
	{"day", instant("2025-10-15T00:00:00Z"), instant("2025-10-16T00:00:00Z")},
	{"7 days", instant("2025-10-13T00:00:00Z"), instant("2025-10-20T00:00:00Z")},
	{"30 days, ragged", instant("2025-09-14T10:17:23.456Z"), instant("2025-10-14T10:17:23.456Z")},
	{"month", instant("2025-11-01T00:00:00Z"), instant("2025-12-01T00:00:00Z")},
	{"year", instant("2025-01-01T00:00:00Z"), until},
	{"ten months, ragged", instant("2025-01-19T07:41:13.337Z"), instant("2025-11-23T16:08:59.211Z")},
}

// filter is a kind of filter, expressed as a change to the question without one.
type filter struct {
	name  string
	apply func(*stats.Question)
}

// filters returns the filters of an organization. A caller who may see only their own figures asks the same as an admin
// about one user. Both are covered here, with two users, the second of which is the busiest.
func filters(org sample.Organization) []filter {
	agent := func(q *stats.Question) { q.AgentID = org.TopAgentID }
	metadata := func(i int) func(*stats.Question) {
		return func(q *stats.Question) {
			q.MetadataKey, q.MetadataValue = sample.MetadataFilters[i].Key, sample.MetadataFilters[i].Value
		}
	}
	return []filter{
		{"none", func(*stats.Question) {}},
		{"agent", agent},
		{"caller", func(q *stats.Question) { q.UserID = org.AdminUserID }},
		{"user", func(q *stats.Question) { q.UserID = org.MemberUserID }},
		{"metadata 1 %", metadata(0)},
		{"metadata 10 %", metadata(1)},
		{"metadata 50 %", metadata(2)},
		{"metadata 10 %, agent", func(q *stats.Question) { metadata(1)(q); agent(q) }},
	}
}

// question returns the question about the window without a filter.
func (w window) question(org sample.Organization) stats.Question {
	return stats.Question{OrgID: org.ID, From: w.from.UnixMilli(), Until: w.until.UnixMilli()}
}

// goals are how many times faster than the plain query a cold answer should be, on 30 million messages.
var goals = map[[2]string]float64{
	{"year", "none"}:               300,
	{"ten months, ragged", "none"}: 100,
	{"year", "caller"}:             100,
	{"year", "user"}:               100,
	{"year", "metadata 10 %"}:      25,
}

// randomWindow returns a window within the year, as likely to be some minutes long as some months, with ends at any
// millisecond, so that practically no two windows are the same.
func randomWindow(r *rand.Rand, org sample.Organization) stats.Question {
	from, to := loadtest.ByHand(r, until)
	return window{from: from, until: to}.question(org)
}

// randomDay returns a window of 24 hours that begins at the start of an hour of the year.
func randomDay(r *rand.Rand, org sample.Organization) stats.Question {
	const hours = (days - 1) * 24
	from := until.Add(-days*24*time.Hour + time.Duration(r.IntN(hours))*time.Hour)
	return window{from: from, until: from.Add(24 * time.Hour)}.question(org)
}
