package service

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// asked is what a request asks.
type asked struct {
	stats.Question
	format string // "" where the parameter is not given
}

// ReadQuestion reads the question of a caller as the endpoint of a name does, for other programs that take the same
// parameters. The error names every mistake.
func ReadQuestion(name string, caller auth.Caller, query url.Values) (stats.Question, error) {
	n := slices.IndexFunc(endpoints, func(e endpoint) bool { return e.name == name })
	if n < 0 {
		return stats.Question{}, fmt.Errorf("%q is not an endpoint", name)
	}
	a, err := endpoints[n].parse(caller, query.Encode())
	if f, ok := errors.AsType[*failure](err); ok && len(f.details) > 0 {
		err = nil
		for _, m := range f.details {
			err = errors.Join(err, errors.New(m.Message))
		}
	}
	return a.Question, err
}

// parse reads what the caller asks, and rejects what is wrong (400) or not the caller's to ask (403). The organization
// is always the token's: no parameter names one.
func (e endpoint) parse(caller auth.Caller, rawQuery string) (a asked, err error) {
	if caller.OrgID == "" {
		return a, errNoOrganization
	}
	p := parseQuery(rawQuery, e.parameterNames())
	if p.values == nil { // there were too many to read
		return a, invalid(p.mistakes)
	}
	a.OrgID = caller.OrgID
	a.From, a.Until = p.window()
	a.format = p.word(paramFormat, formatJSON, formatCSV)
	allInOrg := p.boolean(paramAllInOrg)
	for _, filter := range stats.Filters {
		*filter.Field(&a.Filter) = p.values[filter.Name]
	}
	zone := p.zone()
	if p.word(paramCompare, comparePrevious) != "" {
		a.Previous = previous(stats.Interval{From: a.From, Until: a.Until}, zone)
	}
	a.Grouping.Zone = zone
	e.group(p, &a.Question)
	if a.Grouping.Interval == "" {
		a.Grouping.Zone = calendar.Zone{} // it does not matter to the figures
	}
	if len(p.mistakes) > 0 {
		return a, invalid(p.mistakes)
	}
	a.UserID, err = scope(caller, allInOrg, a.UserID)
	return a, err
}

// scope returns the user that the question is limited to, "" for the whole organization.
func scope(caller auth.Caller, allInOrg bool, userID string) (string, error) {
	switch {
	case allInOrg && caller.Role != roleAdmin:
		return "", errNotAdmin
	case allInOrg:
		return userID, nil
	case userID != "" && userID != caller.UserID:
		return "", errNotAdmin
	}
	return caller.UserID, nil
}

// zone reads the time zone.
func (p *parameters) zone() calendar.Zone {
	name := p.values[paramTimeZone]
	if name == "" {
		return calendar.UTC
	}
	zone, err := calendar.LoadZone(name)
	if err != nil {
		p.wrong(paramTimeZone, "timeZone is %q: give a name of the IANA database such as Europe/Berlin", shorten(name))
		return calendar.UTC
	}
	return zone
}

// word reads one of some words, "" where none is given.
func (p *parameters) word(name string, words ...string) string {
	value := p.values[name]
	if value == "" || slices.Contains(words, value) {
		return value
	}
	p.wrong(name, "%s is %q: give %s", name, shorten(value), oneOf(words))
	return ""
}

// required reads one of some words, which must be given.
func (p *parameters) required(name string, words ...string) string {
	if p.values[name] == "" && p.seen[name] < 2 {
		p.wrong(name, "%s is missing: give %s", name, oneOf(words))
	}
	return p.word(name, words...)
}

func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// previous returns the window before one: of the same length, or of as many months where it is a number of whole months
// of the zone. A window outside of the years that records have is empty, and there is none before it.
func previous(window stats.Interval, zone calendar.Zone) stats.Interval {
	if window.From == window.Until {
		return stats.Interval{}
	}
	if months := zone.WholeMonths(window.From, window.Until); months > 0 {
		return stats.Interval{From: zone.MonthsBefore(window.From, months), Until: window.From}
	}
	return stats.Interval{From: window.From - (window.Until - window.From), Until: window.From}
}

// groupSeries reads how a series is grouped.
func groupSeries(p *parameters, q *stats.Question) {
	q.Grouping.Interval = calendar.Unit(p.required(paramInterval, words(calendar.Units)...))
	p.checkIntervals(q, 0)
}

const (
	defaultLimit = 100
	maxLimit     = 1000
	// maxRowIntervals bounds the rows of a breakdown times the intervals of each.
	maxRowIntervals = 100_000
)

// groupBreakdown reads how a breakdown is grouped.
func groupBreakdown(p *parameters, q *stats.Question) {
	g := &q.Grouping
	g.By = stats.Dimension(p.required(paramGroupBy, words(stats.Dimensions)...))
	if g.By == stats.ByMetadata {
		p.readPath(q)
	}
	g.OrderBy = p.word(paramOrderBy, stats.FigureNames...)
	switch {
	case g.OrderBy == "" && g.By == stats.ByKnowledgeBase:
		g.OrderBy = "kbFileCount"
	case g.OrderBy == "":
		g.OrderBy = "messageCount"
	case g.By != "" && !g.By.IsOf(g.OrderBy):
		p.wrong(paramOrderBy, "orderBy is %s, which is 0 in all rows by %s", g.OrderBy, g.By)
	}
	g.Ascending = p.word(paramOrder, "asc", "desc") == "asc"
	g.Limit = p.limit()
	g.Interval = calendar.Unit(p.word(paramInterval, words(calendar.Units)...))
	p.checkIntervals(q, g.Limit)
}

// readPath reads the path of metadata to group by, which is no filter then.
func (p *parameters) readPath(q *stats.Question) {
	q.Grouping.Path, q.MetadataKey = q.MetadataKey, ""
	if q.Grouping.Path == "" {
		p.wrong("metadataKey", "metadataKey is missing: with groupBy=metadata give the path to group by, such as plan")
	}
	if q.MetadataValue != "" {
		p.wrong("metadataValue", "metadataValue is given: with groupBy=metadata, metadataKey is the path to group by, and no filter")
	}
}

// limit reads how many rows are wanted.
func (p *parameters) limit() int {
	value := p.values[paramLimit]
	if value == "" {
		return defaultLimit
	}
	limit, err := strconv.Atoi(value)
	if err != nil || limit < 1 || limit > maxLimit || strconv.Itoa(limit) != value {
		p.wrong(paramLimit, "limit is %q: give a whole number from 1 to %d", shorten(value), maxLimit)
		return defaultLimit
	}
	return limit
}

// checkIntervals bounds the number of intervals, and of those of all rows where there is a limit of rows.
func (p *parameters) checkIntervals(q *stats.Question, limit int) {
	g := q.Grouping
	if g.Interval == "" {
		return
	}
	count := countIntervals(g, q.From, q.Until)
	switch {
	case count > stats.MaxIntervals:
		p.wrong(paramInterval, "interval is %s, of which the window has %d: at most %d are answered, so ask for a longer interval or a shorter window",
			g.Interval, count, stats.MaxIntervals)
	case count*limit > maxRowIntervals:
		p.wrong(paramLimit, "limit is %d and the window has %d intervals: at most %d rows times intervals are answered, so ask for less of one",
			limit, count, maxRowIntervals)
	}
}

// countIntervals returns how many intervals a window has, for the message that says so: of hours up to three million,
// of which not all are held at once.
func countIntervals(g stats.Grouping, from, until int64) (count int) {
	const most = 10_000
	for from < until {
		bounds := g.Zone.Bounds(g.Interval, from, until, most)
		count += len(bounds) - 1
		from = bounds[len(bounds)-1]
	}
	return count
}

func words[T ~string](values []T) (all []string) {
	for _, value := range values {
		all = append(all, string(value))
	}
	return all
}
