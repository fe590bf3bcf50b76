package stats_test

import (
	"encoding/json"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/stats"
)

// sets are the sources, beside the messages, that plans can be made of; coarser ones first.
var (
	cellSets = [][]stats.Source{
		nil,
		{stats.Hours},
		{stats.Days},
		{stats.Months},
		{stats.Days, stats.Hours},
		{stats.Months, stats.Hours},
		{stats.Months, stats.Days},
		{stats.Months, stats.Days, stats.Hours},
	}
	userSets      = [][]stats.Source{nil, {stats.Activity}, {stats.UserMonths}, {stats.UserMonths, stats.Activity}}
	userAgentSets = [][]stats.Source{nil, {stats.Activity}}
)

// Every plan that can be made of a question, whatever is stale, gives what the plain query gives.
func TestEveryPlanAnswersAsThePlainQuery(t *testing.T) {
	d := newDatabase(t)
	d.loadContract(t)
	r := rand.New(rand.NewPCG(1, 1))
	plans := 0
	for _, q := range contractQuestions(t, r) {
		want, err := d.store.Run(t.Context(), stats.PlainQuery(q))
		if err != nil {
			t.Fatal(err)
		}
		for _, sources := range setsFor(q) {
			plan := stats.PlanOf(q, someHours(r, q), sources...)
			got, err := d.store.Run(t.Context(), plan.Queries()...)
			if err != nil {
				t.Fatalf("%+v by\n%s: %v", q, plan, err)
			}
			if got.Total() != want.Total() || len(got.Rows) != 1 {
				t.Errorf("%+v by\n%s gives\n%+v, and the plain query\n%+v", q, plan, got, want)
			}
			plans++
		}
	}
	t.Logf("%d plans", plans)
}

func setsFor(q stats.Question) [][]stats.Source {
	switch {
	case q.UserID == "" && q.MetadataKey == "" && q.MetadataValue == "":
		return cellSets
	case q.AgentID == "":
		return userSets
	}
	return userAgentSets
}

// loadContract loads the records of the contract.
func (d *database) loadContract(t *testing.T) {
	t.Helper()
	var paths []string
	for _, name := range []string{"1-first.ndjson", "2-messages.ndjson.gz", "3-later.ndjson"} {
		paths = append(paths, filepath.Join("..", "..", "testdata", "contract", name))
	}
	_, err := loader.Load(t.Context(), loader.Options{
		Inputs: loader.Files(paths), Replicas: replica.Options{URL: d.url}, Rejects: filepath.Join(t.TempDir(), "rejects"),
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
}

// contractQuestions returns what the contract's callers ask that are answered, each again about a window of hours and
// days.
func contractQuestions(t *testing.T, r *rand.Rand) (questions []stats.Question) {
	t.Helper()
	var contract struct {
		Cases []struct {
			Caller *struct{ OrganizationID, UserID string }
			Query  map[string]string
			Status int
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "contract", "cases.json"))
	if err == nil {
		err = json.Unmarshal(text, &contract)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range contract.Cases {
		if c.Status != 200 || r.IntN(3) > 0 { // a third of them, other ones with another seed
			continue
		}
		from, until, err := service.Window(c.Query["from"], c.Query["to"])
		if err != nil {
			t.Fatal(err)
		}
		q := stats.Question{
			OrgID: c.Caller.OrganizationID, From: from, Until: until,
		}
		for _, filter := range stats.Filters {
			*filter.Field(&q.Filter) = c.Query[filter.Name]
		}
		if c.Query["allInOrg"] != "true" {
			q.UserID = c.Caller.UserID
		}
		questions = append(questions, q)
		q.From += r.Int64N(max(1, (until-from)/2))
		q.Until = min(until, q.From+r.Int64N((100*24*time.Hour).Milliseconds()))
		questions = append(questions, q)
	}
	return questions
}

// someHours returns some hours in and around a window.
func someHours(r *rand.Rand, q stats.Question) (hours []int32) {
	first, last := q.From/3_600_000-2, q.Until/3_600_000+2
	for hour := first; hour < last && len(hours) < 10; hour += 1 + r.Int64N(max(1, (last-first)/4)) {
		hours = append(hours, int32(hour))
	}
	return hours
}
