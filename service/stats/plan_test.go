package stats

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
)

func at(text string) int64 {
	t, err := time.Parse("2006-01-02T15:04:05.000", text)
	if err != nil {
		panic(err)
	}
	return t.UnixMilli()
}

func hourNumber(text string) int32 { return cells.HourNumber(at(text)) }

// busy is the size of an organization whose messages are never few.
var busy = func() size {
	s := size{}
	for month := at("1960-01-01T00:00:00.000"); month < at("2030-01-01T00:00:00.000"); month = cells.Month.Next(month) {
		s[month] = 1e12
	}
	return s
}()

func TestPlan(t *testing.T) {
	const newYear, nextYear = "2024-01-01T00:00:00.000", "2025-01-01T00:00:00.000"
	for _, c := range []struct {
		reason      string
		from, until string
		question    Question
		stale       []int32
		want        string
	}{
		{"a year is twelve months", newYear, nextYear, Question{}, nil, `
month cells:
  2024-01-01T00:00:00.000Z to 2024-12-31T23:59:59.999Z
`},
		{"ragged ends are what is left beside months, days and hours", "2024-01-30T22:59:00.000", "2024-03-02T01:00:00.001", Question{}, nil, `
month cells:
  2024-02-01T00:00:00.000Z to 2024-02-29T23:59:59.999Z
day cells:
  2024-01-31T00:00:00.000Z to 2024-01-31T23:59:59.999Z
  2024-03-01T00:00:00.000Z to 2024-03-01T23:59:59.999Z
hour cells:
  2024-01-30T23:00:00.000Z to 2024-01-30T23:59:59.999Z
  2024-03-02T00:00:00.000Z to 2024-03-02T00:59:59.999Z
messages:
  2024-01-30T22:59:00.000Z to 2024-01-30T22:59:59.999Z
  2024-03-02T01:00:00.000Z to 2024-03-02T01:00:00.000Z
`},
		{"a day that begins at a quarter to an hour in UTC is 23 hours and two ends", "2024-05-01T18:15:00.000", "2024-05-02T18:15:00.000", Question{}, nil, `
hour cells:
  2024-05-01T19:00:00.000Z to 2024-05-02T17:59:59.999Z
messages:
  2024-05-01T18:15:00.000Z to 2024-05-01T18:59:59.999Z
  2024-05-02T18:00:00.000Z to 2024-05-02T18:14:59.999Z
`},
		{"a stale hour is read from the messages, and its day and month in smaller parts", "2024-02-01T00:00:00.000", "2024-03-01T00:00:00.000", Question{}, []int32{hourNumber("2024-02-10T05:00:00.000")}, `
day cells:
  2024-02-01T00:00:00.000Z to 2024-02-09T23:59:59.999Z
  2024-02-11T00:00:00.000Z to 2024-02-29T23:59:59.999Z
hour cells:
  2024-02-10T00:00:00.000Z to 2024-02-10T04:59:59.999Z
  2024-02-10T06:00:00.000Z to 2024-02-10T23:59:59.999Z
messages:
  2024-02-10T05:00:00.000Z to 2024-02-10T05:59:59.999Z
`},
		{"stale hours beside the window do not matter", newYear, nextYear, Question{}, []int32{hourNumber(newYear) - 1, hourNumber(nextYear)}, `
month cells:
  2024-01-01T00:00:00.000Z to 2024-12-31T23:59:59.999Z
`},
		{"one user is asked of the activity, by days", "2024-01-01T12:00:00.000", "2024-01-05T00:00:00.000", Question{Filter: Filter{UserID: "u"}}, []int32{hourNumber("2024-01-03T00:00:00.000")}, `
user activity:
  2024-01-02T00:00:00.000Z to 2024-01-02T23:59:59.999Z
  2024-01-04T00:00:00.000Z to 2024-01-04T23:59:59.999Z
messages:
  2024-01-01T12:00:00.000Z to 2024-01-01T23:59:59.999Z
  2024-01-03T00:00:00.000Z to 2024-01-03T23:59:59.999Z
`},
		{"whole months of one user are asked as such", "2024-01-31T00:00:00.000", "2024-05-01T00:00:00.000", Question{Filter: Filter{UserID: "u"}}, []int32{hourNumber("2024-03-31T00:00:00.000")}, `
user months:
  2024-02-01T00:00:00.000Z to 2024-02-29T23:59:59.999Z
  2024-04-01T00:00:00.000Z to 2024-04-30T23:59:59.999Z
user activity:
  2024-01-31T00:00:00.000Z to 2024-01-31T23:59:59.999Z
  2024-03-01T00:00:00.000Z to 2024-03-30T23:59:59.999Z
messages:
  2024-03-31T00:00:00.000Z to 2024-03-31T23:59:59.999Z
`},
		{"a user's months do not tell the agents apart", "2024-02-01T00:00:00.000", "2024-03-01T00:00:00.000", Question{Filter: Filter{MetadataKey: "k", AgentID: "a"}}, nil, `
user activity:
  2024-02-01T00:00:00.000Z to 2024-02-29T23:59:59.999Z
`},
		{"a window before 1970 has buckets, too", "1969-12-31T22:30:00.000", "1970-01-01T01:00:00.000", Question{}, nil, `
hour cells:
  1969-12-31T23:00:00.000Z to 1970-01-01T00:59:59.999Z
messages:
  1969-12-31T22:30:00.000Z to 1969-12-31T22:59:59.999Z
`},
		{"one millisecond is a message's", "2024-01-01T12:00:00.000", "2024-01-01T12:00:00.001", Question{}, nil, `
messages:
  2024-01-01T12:00:00.000Z to 2024-01-01T12:00:00.000Z
`},
		{"an empty window holds nothing", newYear, newYear, Question{}, nil, `
nothing: no record has a time in the window
`},
	} {
		c.question.From, c.question.Until = at(c.from), at(c.until)
		if got := "\n" + newPlan(c.question, state{stale: c.stale, size: busy}, DefaultSmallWindow).String(); got != c.want {
			t.Errorf("%s: got %swant %s", c.reason, got, c.want)
		}
	}
}

func TestFewMessagesAreReadThemselves(t *testing.T) {
	january := size{at("2024-01-01T00:00:00.000"): 31_000, at("2024-02-01T00:00:00.000"): 1e9}
	for _, c := range []struct {
		reason      string
		from, until string
		question    Question
		plain       bool
	}{
		{"many days of few messages", "2024-01-01T00:00:00.000", "2024-01-11T00:00:00.000", Question{}, true},
		{"all of a month", "2024-01-01T00:00:00.000", "2024-02-01T00:00:00.000", Question{}, false},
		{"all of a month, of one user", "2024-01-01T00:00:00.000", "2024-02-01T00:00:00.000", Question{Filter: Filter{UserID: "u"}}, true},
		{"a day of very many messages", "2024-02-03T00:00:00.000", "2024-02-04T00:00:00.000", Question{Filter: Filter{MetadataKey: "k"}}, false},
		{"a month that nothing is known of", "2024-03-01T00:00:00.000", "2024-04-01T00:00:00.000", Question{}, true},
	} {
		c.question.From, c.question.Until = at(c.from), at(c.until)
		if plan := newPlan(c.question, state{size: january}, DefaultSmallWindow); (plan.Kind() == KindRaw) != c.plain {
			t.Errorf("%s: %s", c.reason, plan)
		}
	}
}

// Whatever the window and whatever is stale: the parts of a plan cover the window, none of them twice, buckets are
// whole, and no stale hour is taken from a bucket.
func TestPlansCoverTheWindow(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		q := randomQuestion(r)
		s := state{stale: randomStale(r, q), size: busy}
		checkPlan(t, newPlan(q, s, DefaultSmallWindow), s)
		if t.Failed() {
			t.Fatalf("%+v, stale %v", q, s.stale)
		}
	}
}

// randomQuestion asks about any interval of some years, often one that begins or ends with a bucket.
func randomQuestion(r *rand.Rand) Question {
	edge := func() int64 {
		ms := at("1969-06-01T00:00:00.000") + r.Int64N(2*365*cells.MsPerDay)
		switch r.IntN(5) {
		case 0:
			ms = Hours.grain().Ceil(ms)
		case 1:
			ms = Days.grain().Ceil(ms)
		case 2:
			ms = Months.grain().Ceil(ms)
		}
		return ms
	}
	q := Question{From: edge(), Until: edge()}
	if q.From > q.Until {
		q.From, q.Until = q.Until, q.From
	}
	q.UserID = []string{"", "", "u"}[r.IntN(3)]
	q.MetadataKey = []string{"", "", "k"}[r.IntN(3)]
	q.AgentID = []string{"", "a"}[r.IntN(2)]
	return q
}

func randomStale(r *rand.Rand, q Question) (stale []int32) {
	for range r.IntN(12) {
		ms := q.From - cells.MsPerDay + r.Int64N(q.Until-q.From+2*cells.MsPerDay)
		stale = append(stale, cells.HourNumber(ms))
	}
	slices.Sort(stale)
	return slices.Compact(stale)
}

func checkPlan(t *testing.T, p Plan, s state) {
	t.Helper()
	var all []Interval
	for _, step := range p.Steps {
		all = append(all, step.Intervals...)
		if step.Source == Messages {
			continue
		}
		for _, interval := range step.Intervals {
			if step.Source.grain().Ceil(interval.From) != interval.From || step.Source.grain().Ceil(interval.Until) != interval.Until {
				t.Errorf("%s: %v is not made of whole buckets", step.Source, interval)
			}
			if s.anyStale(interval) {
				t.Errorf("%s: %v holds a stale hour", step.Source, interval)
			}
		}
	}
	slices.SortFunc(all, func(a, b Interval) int { return cmp.Compare(a.From, b.From) })
	end := p.Question.From
	for _, interval := range all {
		if interval.From != end || interval.Until <= interval.From {
			t.Errorf("%v does not begin where the one before ends, or is empty", interval)
		}
		end = interval.Until
	}
	if end != p.Question.Until {
		t.Errorf("the plan ends at %s", instant(end))
	}
}
