package e2e

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

const (
	seriesPath    = "/api/dashboard/getTimeSeries"
	breakdownPath = "/api/dashboard/getBreakdown"
)

// asked is a question to an endpoint, and its caller.
type asked struct {
	caller auth.Caller
	path   string
	query  url.Values
}

// calendars are time zones whose days are not UTC's, and moments at which their clocks were set, or are: by half an
// hour, over a date, over midnight in both directions, for Ramadan.
var calendars = []struct {
	zone    string
	changes []string
}{
	{"UTC", []string{"2024-01-01T00:00:00Z", "2024-04-01T00:00:00Z"}},
	{"Australia/Lord_Howe", []string{"2024-04-06T15:00:00Z", "2024-10-05T15:30:00Z"}},
	{"Asia/Kathmandu", []string{"1985-12-31T18:30:00Z", "2024-02-29T18:15:00Z"}},
	{"Pacific/Apia", []string{"2011-12-30T10:00:00Z", "2011-09-24T14:00:00Z"}},
	{"America/Sao_Paulo", []string{"2018-11-04T03:00:00Z", "2018-02-18T02:00:00Z"}},
	{"Africa/Casablanca", []string{"2024-03-10T02:00:00Z", "2024-04-14T02:00:00Z"}},
	{"America/St_Johns", []string{"2006-10-29T02:31:00Z", "2024-03-10T05:30:00Z", "2024-11-03T04:30:00Z"}},
}

// nearChange returns an instant at, or within some hours of, a moment at which clocks are set.
func (g *generator) nearChange() time.Time {
	at, err := time.Parse(time.RFC3339, pick(g, pick(g, calendars...).changes...))
	if err != nil {
		panic(err)
	}
	return at.Add(pick(g, 0, time.Duration(g.IntN(60)-30)*time.Hour, time.Duration(g.IntN(600)-300)*time.Minute)).
		Add(pick(g, -time.Millisecond, 0, time.Millisecond))
}

// asked generates a question to any endpoint that its caller may ask.
func (g *generator) asked() asked {
	caller, q := g.question()
	a := asked{caller, pick(g, statsPath, seriesPath, seriesPath, breakdownPath, breakdownPath), q}
	if zone := pick(g, calendars...).zone; zone != "UTC" || g.chance(0.5) {
		q.Set("timeZone", zone)
	}
	if g.chance(0.7) {
		g.localWindow(q)
	}
	if g.chance(0.4) {
		q.Set("compare", "previous")
	}
	switch a.path {
	case seriesPath:
		g.divide(q, pick[int64](g, 10, 20, 40, 40, 200))
	case breakdownPath:
		g.breakdown(q)
	}
	return a
}

// localWindow sets a window around a moment: of whole days or months of the zone, or ragged.
func (g *generator) localWindow(q url.Values) {
	zone := clocksOf(q.Get("timeZone")).zone
	middle := g.nearChange()
	if len(g.made) > 0 && g.chance(0.3) {
		middle = g.known()
	}
	length := func() int { return pick(g, 0, g.IntN(4), g.IntN(40), g.IntN(800)) }
	from, to := middle.AddDate(0, 0, -length()).In(zone), middle.AddDate(0, 0, length()).In(zone)
	switch g.IntN(4) {
	case 0: // ragged
	case 1:
		from = time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, zone)
		to = time.Date(to.Year(), to.Month()+1, 1, 0, 0, 0, 0, zone).Add(-time.Millisecond)
	default:
		from = time.Date(from.Year(), from.Month(), from.Day(), 0, 0, 0, 0, zone)
		to = time.Date(to.Year(), to.Month(), to.Day()+1, 0, 0, 0, 0, zone).Add(-time.Millisecond)
	}
	if to.Before(from) { // the day after it is one that the zone skipped
		to = from.Add(time.Hour)
	}
	q.Set("from", g.writeFiner(from, ""))
	q.Set("to", g.writeFiner(to, pick(g, "", "999")))
}

// intervalLengths are the least hours of intervals.
var intervalLengths = map[string]int64{"hour": 1, "day": 23, "week": 167, "month": 28*24 - 1, "quarter": 90*24 - 1, "year": 365 * 24}

// divide sets an interval of which the window has about so many at most. Centuries are replaced by another window.
func (g *generator) divide(q url.Values, most int64) {
	var names []string
	for len(names) == 0 {
		w := windowOf(q)
		for name, hours := range intervalLengths {
			if (w.until-w.from)/(hours*time.Hour.Milliseconds()) < most {
				names = append(names, name)
			}
		}
		if len(names) == 0 {
			g.localWindow(q)
		}
	}
	slices.Sort(names) // so that a seed repeats the choice
	q.Set("interval", pick(g, names...))
}

// breakdown adds the parameters of a breakdown.
func (g *generator) breakdown(q url.Values) {
	by := pick(g, "agent", "user", "role", "knowledgeBase", "metadata", "metadata")
	q.Set("groupBy", by)
	if by == "metadata" {
		q.Set("metadataKey", pick(g, "team", "tags", "a.b", "a", "b", "a.a", "tags.team"))
		q.Del("metadataValue")
	}
	if g.chance(0.6) {
		ofFiles := 11 // figures are of messages before
		q.Set("orderBy", pick(g, figureNames[:ofFiles]...))
		if by == "knowledgeBase" {
			q.Set("orderBy", pick(g, figureNames[ofFiles:]...))
		}
	}
	q.Set("order", pick(g, "", "asc", "desc"))
	q.Set("limit", pick(g, "", "1", "2", "3", strconv.Itoa(1+g.IntN(1000))))
	if g.chance(0.4) {
		g.divide(q, 40)
	}
}

func (a asked) String() string {
	return a.caller.OrgID + ", " + a.caller.UserID + " (" + a.caller.Role + ") asks " + a.path + "?" + a.query.Encode()
}
