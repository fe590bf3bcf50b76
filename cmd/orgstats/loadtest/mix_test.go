package loadtest

import (
	"reflect"
	"testing"
	"time"

	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

// town returns a population of two organizations, the second of which has nothing but a caller.
func town() Population {
	caller := func(org, user, role string) Caller {
		return Caller{auth.Caller{OrgID: org, UserID: user, Role: role}, "token of " + user}
	}
	return Population{
		Until: time.Date(2026, 3, 31, 12, 34, 56, 789_000_000, time.UTC),
		Organizations: []Organization{
			{
				ID: "org_a", Callers: []Caller{caller("org_a", "user_1", roleAdmin), caller("org_a", "user_2", "org:member")},
				Users: []string{"user_1", "user_2", "user_3"}, Agents: []string{"7", "sales-bot"},
				Metadata: []Metadata{{"team", "red"}, {"beta", ""}, {"", "42"}},
			},
			{ID: "org_nobody_asks", Users: []string{"user_9"}},
			{ID: "org_b", Callers: []Caller{caller("org_b", "user_4", roleAdmin)}},
		},
	}
}

// Requests ask what their caller may ask, and the question with which answers are compared is the one that the
// parameters ask.
func TestRequestsAreThoseOfTheirCallers(t *testing.T) {
	m := newMix(town(), 1, false)
	filters, windows, organizations, asked := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for range 5000 {
		r := m.next(time.Minute)
		filters[r.filter]++
		windows[r.window]++
		asked[r.view]++
		organizations[r.question.OrgID]++
		from, to := parse(t, r.query.Get("from")), parse(t, r.query.Get("to"))
		if from.UnixMilli() != r.question.From || to.UnixMilli()+1 != r.question.Until || from.After(to) {
			t.Errorf("%s: %v asks from %d to %d", r.window, r.query, r.question.From, r.question.Until)
		}
		admin := r.caller.Role == roleAdmin
		if r.caller.OrgID != r.question.OrgID || admin != (r.query.Get("allInOrg") == "true") {
			t.Errorf("%+v asks %v as %+v", r.caller, r.query, r.question)
		}
		user := r.question.UserID
		if admin && user != r.query.Get("userId") || !admin && (user != r.caller.UserID || r.query.Has("userId")) {
			t.Errorf("%+v asks %v as %+v", r.caller, r.query, r.question)
		}
		if r.question.AgentID != r.query.Get("agentId") || r.question.MetadataKey+r.question.Grouping.Path != r.query.Get("metadataKey") ||
			r.question.MetadataValue != r.query.Get("metadataValue") {
			t.Errorf("%v is asked as %+v", r.query, r.question)
		}
		if r.caller.OrgID == "org_b" && r.filter != "organization" {
			t.Errorf("%s is asked of an organization that has none", r.filter)
		}
	}
	if len(asked) != len(views) || asked["figures"]+asked["figures, compared"] < 5000/2 {
		t.Errorf("views: %v", asked)
	}
	if len(filters) != len(adminFilters)+len(memberFilters) || len(windows) != 8 || len(organizations) != 2 {
		t.Errorf("not everything is asked: %v, %v, %v", filters, windows, organizations)
	}
	if organizations["org_a"] < organizations["org_b"] || filters["organization"] < filters["agent"] {
		t.Errorf("what is asked most is not asked most: %v, %v", organizations, filters)
	}
}

// The service reads what is sent as the question with which its answer is compared.
func TestTheServiceReadsTheQuestionsOfTheMix(t *testing.T) {
	m := newMix(town(), 1, false)
	for range 5000 {
		r := m.next(time.Minute)
		q, err := service.ReadQuestion(r.endpoint, r.caller.Caller, r.query)
		if err != nil || q != r.question {
			t.Fatalf("%s?%s: %+v, %v, want %+v", r.endpoint, r.query.Encode(), q, err, r.question)
		}
	}
}

// Whoever asks by hand measures figures of the window as a whole.
func TestByHandAsksForFigures(t *testing.T) {
	m := newMix(town(), 1, true)
	for range 500 {
		if r := m.next(0); r.endpoint != statsEndpoint || r.question.Grouping != (stats.Grouping{}) || r.window != byHandWindow.name {
			t.Fatalf("%+v", r)
		}
	}
}

func place(t *testing.T, name string) *time.Location {
	t.Helper()
	location, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return location
}

func parse(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestTheSameSeedAsksTheSame(t *testing.T) {
	first, second, other := newMix(town(), 7, false), newMix(town(), 7, false), newMix(town(), 8, false)
	different := 0
	for range 100 {
		a, b, c := first.next(0), second.next(0), other.next(0)
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%+v and %+v", a, b)
		}
		if !reflect.DeepEqual(a, c) {
			different++
		}
	}
	if different < 50 {
		t.Errorf("another seed asks %d other questions of 100", different)
	}
}

func TestWindowsAreThoseOfTheCallersZone(t *testing.T) {
	now := time.Date(2026, 3, 31, 23, 50, 0, 0, time.UTC).In(place(t, "Asia/Kathmandu")) // already the 1st of April there
	for _, c := range []struct{ name, from, to string }{
		{"today, up to now", "2026-04-01T00:00:00.000+05:45", "2026-04-01T05:35:00.000+05:45"},
		{"last 24 hours", "2026-03-31T05:35:00.000+05:45", "2026-04-01T05:35:00.000+05:45"},
		{"last 7 days", "2026-03-26T00:00:00.000+05:45", "2026-04-01T23:59:59.999+05:45"},
		{"last 30 days", "2026-03-03T00:00:00.000+05:45", "2026-04-01T23:59:59.999+05:45"},
		{"this month", "2026-04-01T00:00:00.000+05:45", "2026-04-01T23:59:59.999+05:45"},
		{"last month", "2026-03-01T00:00:00.000+05:45", "2026-03-31T23:59:59.999+05:45"},
		{"last 12 months", "2025-05-01T00:00:00.000+05:45", "2026-04-01T23:59:59.999+05:45"},
	} {
		for _, w := range windows {
			if w.name != c.name {
				continue
			}
			if from, to := w.ends(nil, now); !from.Equal(parse(t, c.from)) || !to.Equal(parse(t, c.to)) {
				t.Errorf("%s: %s to %s, want %s to %s", c.name, from, to, c.from, c.to)
			}
		}
	}
}
