package stats_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/loader"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// Whatever is in memory or fetched, whatever is stale, being written or too large, and however little may be kept: an
// answer is the plain query's.
func TestEveryAnswerIsThePlainQuerys(t *testing.T) {
	d := newDatabase(t)
	d.loadContract()
	r := rand.New(rand.NewPCG(1, 1))
	stores := map[string]*stats.Store{
		"kept":         d.store(stats.Options{Memory: enough}),
		"kept, old":    d.store(stats.Options{Memory: enough, MaxAge: time.Hour}),
		"evicted soon": d.store(stats.Options{Memory: 20_000}),
		"evicted":      d.store(stats.Options{}),
	}
	asked := 0
	step := 1_000_000
	for _, q := range d.contractQuestions(r) {
		if asked%8 == 0 { // anything may be announced, as long as nothing is written
			step += 2
			d.announce(r, step, q)
		}
		want, err := stores["kept"].Plain(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for name, store := range stores {
			for range 2 {
				if got := d.answer(store, q); !reflect.DeepEqual(got, want) {
					t.Fatalf("%s: %+v gives\n%+v, and the plain query\n%+v", name, q, got, want)
				}
			}
		}
		asked++
	}
	t.Logf("%d questions", asked)
}

// announce marks hours in and around a question's window as stale, and announces that these, members or files are going
// to be written, or that they were; in stale_hours first, as the loader does.
func (d *database) announce(r *rand.Rand, step int, q stats.Question) {
	d.Helper()
	hours := someHours(r, q)
	list := ""
	marks := "INSERT INTO stale_hours (org_id, hour, step, is_fresh) VALUES "
	for _, hour := range hours {
		marks += fmt.Sprintf("('%s', %d, %d, 0) ", q.OrgID, hour, step)
		list += fmt.Sprintf("%d,", hour)
	}
	d.execute(marks)
	counter := step + r.IntN(2)
	d.execute(
		fmt.Sprintf("INSERT INTO stale_hours (org_id, hour, step, is_fresh) VALUES ('%s', %d, %d, 0)", q.OrgID, cells.CounterHour, counter|1),
		fmt.Sprintf("INSERT INTO changes (step, org_id, kind, hours) VALUES (%d, '%s', 'messages', [%s])", step|1, q.OrgID, list))
	switch r.IntN(4) {
	case 0:
		d.execute(fmt.Sprintf("INSERT INTO changes (step, org_id, kind) VALUES (%d, '%s', 'members')", step|1, q.OrgID))
	case 1:
		d.execute(fmt.Sprintf("INSERT INTO changes (step, org_id, kind) VALUES (%d, '%s', 'files')", step|1, q.OrgID))
	default:
		d.execute(
			fmt.Sprintf("INSERT INTO stale_hours (org_id, hour, step, is_fresh) VALUES ('%s', %d, %d, 0)", q.OrgID, cells.CounterHour, step|1+1),
			fmt.Sprintf("INSERT INTO changes (step, org_id, kind) VALUES (%d, '%s', 'written')", step|1+1, q.OrgID))
	}
}

// loadContract loads the records of the contract.
func (d *database) loadContract() {
	d.Helper()
	var paths []string
	for _, name := range []string{"1-first.ndjson", "2-messages.ndjson.gz", "3-later.ndjson"} {
		paths = append(paths, filepath.Join("..", "..", "testdata", "contract", name))
	}
	d.loadFrom(loader.Files(paths)...)
}

// contractQuestions returns what the contract's callers ask that are answered, each again about a window of hours and
// days, which may be grouped and compared.
func (d *database) contractQuestions(r *rand.Rand) (questions []stats.Question) {
	d.Helper()
	var contract struct {
		Cases []struct {
			Caller *struct{ OrganizationID, UserID, Role string }
			Query  map[string]string
			Status int
		}
	}
	text, err := os.ReadFile(filepath.Join("..", "..", "testdata", "contract", "cases.json"))
	if err == nil {
		err = json.Unmarshal(text, &contract)
	}
	if err != nil {
		d.Fatal(err)
	}
	for _, c := range contract.Cases {
		if c.Status != 200 || r.IntN(10) > 0 { // a tenth of them, other ones with another seed
			continue
		}
		query := url.Values{}
		for name, value := range c.Query {
			query.Set(name, value)
		}
		q, err := service.ReadQuestion("getStats", auth.Caller{OrgID: c.Caller.OrganizationID, UserID: c.Caller.UserID, Role: c.Caller.Role}, query)
		if err != nil {
			d.Fatal(err)
		}
		questions = append(questions, q)
		q.From += r.Int64N(max(1, (q.Until-q.From)/2))
		q.Until = min(q.Until, q.From+r.Int64N((100*24*time.Hour).Milliseconds()))
		q.Grouping = randomGrouping(r, []calendar.Unit{calendar.Day, calendar.Week, calendar.Month})
		if r.IntN(2) == 0 {
			q.Previous = stats.Interval{From: q.From - r.Int64N(1+q.Until-q.From), Until: q.From}
		}
		questions = append(questions, q)
	}
	return questions
}

// someHours returns some hours in and around a window: few that are far apart, or many.
func someHours(r *rand.Rand, q stats.Question) (hours []int32) {
	first, last := cells.HourNumber(q.From)-2, cells.HourNumber(q.Until)+2
	most, apart := 10, max(1, (last-first)/4)
	if r.IntN(4) == 0 {
		most, apart = 150, 3
	}
	for hour := first; hour < last && len(hours) < most; hour += 1 + r.Int32N(apart) {
		hours = append(hours, hour)
	}
	return hours
}

// Hours of too many messages are summed up by ClickHouse, for each question alone.
func TestHoursOfManyMessages(t *testing.T) {
	stats.SetMaxRows(t, 1)
	d := newDatabase(t)
	d.load(oneConversation, oneMessage, otherMessage, strings.ReplaceAll(oneMessage, `"m1"`, `"m3"`))
	store := d.store(stats.Options{Memory: enough, MaxAge: time.Hour})
	for _, filter := range []stats.Filter{{}, {UserID: "u1"}, {AgentID: "a1"}, {UserID: "u2"}} {
		q := ragged("o1")
		q.Until -= cells.MsPerHour // within the hour of two messages
		q.Filter = filter
		for range 2 {
			if got, want := d.ask(store, q), d.plain(store, q); got != want {
				t.Errorf("%+v gives\n%+v, and the plain query\n%+v", q, got, want)
			}
		}
		if cost := d.costs(store, q); cost.Cache != stats.CacheMiss || cost.Statements != 2 { // the hour, the log
			t.Errorf("%+v: %+v", filter, cost)
		}
	}
}
