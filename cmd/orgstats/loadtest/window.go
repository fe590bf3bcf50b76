package loadtest

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"
)

// window is a kind of window that dashboards offer. Its ends depend on an instant, which is given in the caller's zone;
// both are inclusive.
type window struct {
	name   string
	weight int
	ends   func(random *rand.Rand, now time.Time) (from, to time.Time)
}

// windows are drawn as often as people look at them. Windows that end now never ask the same question twice; those of
// whole days do until midnight.
var windows = []window{
	{"today, up to now", 20, func(_ *rand.Rand, now time.Time) (from, to time.Time) { return midnight(now, 0), now }},
	{"last 24 hours", 10, func(_ *rand.Rand, now time.Time) (from, to time.Time) { return now.Add(-24 * time.Hour), now }},
	{"last 7 days", 20, func(_ *rand.Rand, now time.Time) (from, to time.Time) { return midnight(now, -6), endOfDay(now) }},
	{"last 30 days", 25, func(_ *rand.Rand, now time.Time) (from, to time.Time) { return midnight(now, -29), endOfDay(now) }},
	{"this month", 8, func(_ *rand.Rand, now time.Time) (from, to time.Time) { return month(now, 0), endOfDay(now) }},
	{"last month", 7, func(_ *rand.Rand, now time.Time) (from, to time.Time) {
		return month(now, -1), month(now, 0).Add(-time.Millisecond)
	}},
	{"last 12 months", 7, func(_ *rand.Rand, now time.Time) (from, to time.Time) { return month(now, -11), endOfDay(now) }},
	byHandWindow,
}

var byHandWindow = window{"chosen by hand", 3, ByHand}

// zones returns the callers' time zones, including half-hour ones and some that change their clocks.
var zones = sync.OnceValue(func() (all []*time.Location) {
	for _, name := range []string{
		"UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "America/Los_Angeles", "Asia/Tokyo", "Asia/Kathmandu", "America/St_Johns",
	} {
		location, err := time.LoadLocation(name)
		if err != nil {
			panic(err) // the database is a part of the program
		}
		all = append(all, location)
	}
	return all
})

// midnight returns the start of the day that is so many days after an instant's own.
func midnight(at time.Time, days int) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day()+days, 0, 0, 0, 0, at.Location())
}

func endOfDay(at time.Time) time.Time { return midnight(at, 1).Add(-time.Millisecond) }

// month returns the start of the month that is so many months after an instant's own.
func month(at time.Time, months int) time.Time {
	return time.Date(at.Year(), at.Month()+time.Month(months), 1, 0, 0, 0, 0, at.Location())
}

const (
	shortest = time.Minute
	longest  = 365 * 24 * time.Hour
)

// ByHand returns a window with its ends anywhere in the last year, as likely to be some minutes long as some months.
func ByHand(random *rand.Rand, now time.Time) (from, to time.Time) {
	length := time.Duration(float64(shortest) * math.Pow(float64(longest)/float64(shortest), random.Float64()))
	to = now.Add(-time.Duration(random.Float64() * float64(longest-length)))
	return to.Add(-length).Truncate(time.Millisecond), to.Truncate(time.Millisecond)
}

// filter is a way to narrow a question: by what it has set.
type filter struct {
	name                  string
	weight                int
	user, metadata, agent bool
}

// adminFilters and memberFilters are the filters that dashboards offer to admins and to members. The first of each
// fits every organization.
var (
	adminFilters = []filter{
		{name: "organization", weight: 50},
		{name: "agent", weight: 18, agent: true},
		{name: "user", weight: 12, user: true},
		{name: "metadata", weight: 14, metadata: true},
		{name: "metadata and agent", weight: 6, metadata: true, agent: true},
	}
	memberFilters = []filter{
		{name: "own", weight: 80},
		{name: "own and agent", weight: 20, agent: true},
	}
)

// fits reports whether an organization has what the filter narrows by.
func (f filter) fits(o *Organization) bool {
	return (!f.user || len(o.Users) > 0) && (!f.metadata || len(o.Metadata) > 0) && (!f.agent || len(o.Agents) > 0)
}

// apply draws what the filter narrows a request by.
func (f filter) apply(m *mix, r *request, org *Organization) {
	set := func(name, value string) string {
		if value != "" {
			r.query.Set(name, value)
		}
		return value
	}
	if f.user {
		r.question.UserID = set("userId", org.Users[m.draw(filterLaw, len(org.Users))])
	}
	if f.metadata {
		chosen := org.Metadata[m.draw(filterLaw, len(org.Metadata))]
		r.question.MetadataKey, r.question.MetadataValue = set("metadataKey", chosen.Key), set("metadataValue", chosen.Value)
	}
	if f.agent {
		r.question.AgentID = set("agentId", org.Agents[m.draw(filterLaw, len(org.Agents))])
	}
}
