package loadtest

import (
	"math/rand/v2"
	"net/url"
	"sync"
	"time"

	"github.com/orgstats/orgstats/service/stats"
)

type request struct {
	caller   Caller
	endpoint string
	view     string // the view's name
	window   string // the window's name
	filter   string // the filter's name
	csv      bool
	query    url.Values
	question stats.Question
}

// mix draws requests.
type mix struct {
	population Population
	byHand     bool // Options.ByHand

	mu     sync.Mutex
	random *rand.Rand
}

func newMix(p Population, seed uint64, byHand bool) *mix {
	return &mix{population: p.withCallers(), byHand: byHand, random: rand.New(rand.NewPCG(seed, 0))}
}

// law is how unevenly something is drawn: rank k in proportion to (k + shift) to the power of -exponent (Zipf's law,
// which requires an exponent above 1 here). The shift keeps the first from being drawn all the time.
type law struct{ exponent, shift float64 }

var (
	organizationLaw = law{1.1, 1}
	callerLaw       = law{1.05, 3} // no user of a large organization asks for a tenth of it
	filterLaw       = law{1.3, 1}
)

// draw draws a rank below n, small ranks most often.
func (m *mix) draw(l law, n int) int {
	return int(rand.NewZipf(m.random, l.exponent, l.shift, uint64(n-1)).Uint64())
}

// next draws the request that is sent when the elapsed time of the test has passed.
func (m *mix) next(elapsed time.Duration) request {
	m.mu.Lock()
	defer m.mu.Unlock()
	org := &m.population.Organizations[m.organization()]
	place := m.draw(callerLaw, len(org.Callers))
	window := m.window()
	location := zones()[place%len(zones())]
	from, to := window.ends(m.random, m.population.Until.Add(elapsed).In(location))
	r := request{
		caller: org.Callers[place],
		window: window.name,
		query:  url.Values{"from": {from.UTC().Format(toISOString)}, "to": {to.UTC().Format(toISOString)}},
	}
	r.question = stats.Question{OrgID: org.ID, From: from.UnixMilli(), Until: to.UnixMilli() + 1}
	v := m.view(r.caller, org)
	r.view, r.endpoint = v.name, v.endpoint
	m.narrow(&r, org, v)
	v.apply(m, &r, org, location)
	return r
}

func (m *mix) organization() int {
	n := len(m.population.Organizations)
	if m.byHand {
		return m.random.IntN(n)
	}
	return m.draw(organizationLaw, n)
}

func (m *mix) window() window {
	if m.byHand {
		return byHandWindow
	}
	return pick(m.random, windows, func(w window) int { return w.weight })
}

// toISOString is the format in which JavaScript writes times.
const toISOString = "2006-01-02T15:04:05.000Z"

// roleAdmin is the role that may ask about the whole organization.
const roleAdmin = "org:admin"

// narrow draws a filter from those that the caller may use. What is grouped by metadata can't be filtered by them.
func (m *mix) narrow(r *request, org *Organization, v view) {
	filters := memberFilters
	if r.caller.Role == roleAdmin {
		filters = adminFilters
		r.query.Set("allInOrg", "true")
	} else {
		r.question.UserID = r.caller.UserID
	}
	f := pick(m.random, filters, func(f filter) int { return f.weight })
	if !f.fits(org) || f.metadata && v.by == stats.ByMetadata {
		f = filters[0]
	}
	f.apply(m, r, org)
	r.filter = f.name
}

// pick draws one of all, as often as its weight says.
func pick[T any](random *rand.Rand, all []T, weight func(T) int) T {
	total := 0
	for _, one := range all {
		total += weight(one)
	}
	left := random.IntN(total)
	for _, one := range all {
		if left -= weight(one); left < 0 {
			return one
		}
	}
	panic("unreachable: the weights sum to the total")
}
