package stats_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// Readers ask while records are loaded, change, move and vanish, and members change their metadata. An answer equals
// the plain query's when nothing of the organization was written from before the question, by as much as the answer may
// be old, until after the plain query.
func TestAnswersWhileRecordsChange(t *testing.T) {
	d := newDatabase(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for name, o := range map[string]stats.Options{
		"exact":        {Memory: enough},
		"evicted":      {Memory: 5000},
		"a moment old": {Memory: enough, MaxAge: 30 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			d := &database{t, d.url, d.conn}
			r := rand.New(rand.NewPCG(seed, 1))
			store := d.store(o)
			ctx, stop := context.WithCancel(t.Context())
			var readers sync.WaitGroup
			var mu sync.Mutex
			compared := 0
			for reader := range 3 {
				readers.Go(func() {
					r := rand.New(rand.NewPCG(seed, uint64(reader)+10))
					for ctx.Err() == nil {
						if d.compare(store, o.MaxAge, randomQuestion(r)) {
							mu.Lock()
							compared++
							mu.Unlock()
						}
					}
				})
			}
			for range 6 {
				d.load(randomRecords(r)...)
			}
			stop()
			readers.Wait()
			if t.Logf("%d answers were compared", compared); compared == 0 {
				t.Error("nothing was compared")
			}
			for range 30 { // and in the end all must be equal
				if q := randomQuestion(r); !d.compare(store, o.MaxAge, q) {
					t.Errorf("%+v could not be compared", q)
				}
			}
		})
	}
}

// compare reports whether an answer could be compared.
func (d *database) compare(store *stats.Store, age time.Duration, q stats.Question) bool {
	d.Helper()
	before := d.counter(q.OrgID)
	time.Sleep(age)
	got := d.answer(store, q)
	want, err := store.Plain(d.Context(), q)
	if err != nil {
		d.Fatal(err)
	}
	if after := d.counter(q.OrgID); before%2 == 1 || before != after {
		return false
	}
	if !reflect.DeepEqual(got, want) {
		d.Errorf("%+v gives\n%+v, and the plain query\n%+v", q, got, want)
	}
	return true
}

func (d *database) counter(orgID string) (counter uint64) {
	d.Helper()
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	err := d.conn.QueryRow(clickhouse.WithParams(d.Context(), params),
		"SELECT max(step) FROM stale_hours WHERE org_id = {org_id:String} AND "+cells.IsCounter).Scan(&counter)
	if err != nil {
		d.Error(err)
	}
	return counter
}

func randomQuestion(r *rand.Rand) stats.Question {
	day := func() int64 {
		ms := time.Date(2024, 4, 28, 0, 0, 0, 0, time.UTC).UnixMilli() + r.Int64N(6*cells.MsPerDay)
		if r.IntN(3) == 0 {
			ms = cells.Grains[r.IntN(3)].Start(ms)
		}
		return ms
	}
	from, until := day(), day()
	q := stats.Question{OrgID: fmt.Sprintf("org%d", r.IntN(2)), From: min(from, until), Until: max(from, until) + 1}
	if r.IntN(3) == 0 {
		q.AgentID = fmt.Sprintf("a%d", r.IntN(3))
	}
	if r.IntN(3) == 0 {
		q.UserID = fmt.Sprintf("u%d", r.IntN(6))
	}
	if r.IntN(3) == 0 {
		q.MetadataKey, q.MetadataValue = "team", fmt.Sprintf("t%d", r.IntN(3))
	}
	q.Grouping = randomGrouping(r, []calendar.Unit{calendar.Hour, calendar.Day, calendar.Week, calendar.Month})
	if r.IntN(4) == 0 {
		q.Previous = stats.Interval{From: q.From - r.Int64N(2*cells.MsPerDay), Until: q.From}
	}
	return q
}

// randomGrouping returns no grouping, one by an interval of a zone, by agent, or by both.
func randomGrouping(r *rand.Rand, intervals []calendar.Unit) (g stats.Grouping) {
	if r.IntN(3) == 0 {
		zones := []string{"UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"}
		zone, err := calendar.LoadZone(zones[r.IntN(len(zones))])
		if err != nil {
			panic(err)
		}
		g.Interval, g.Zone = intervals[r.IntN(len(intervals))], zone
	}
	if r.IntN(3) == 0 {
		g.By, g.Limit, g.Ascending = stats.ByAgent, 1+r.IntN(4), r.IntN(2) == 0
		g.OrderBy = []string{"messageCount", "uniqueUsers", "totalFeedback"}[r.IntN(3)]
	}
	return g
}

// randomRecords returns some records of two organizations, most of them about ids that were there before.
func randomRecords(r *rand.Rand) (lines []string) {
	at := func() string {
		return time.Date(2024, 4, 28, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.Int64N(6 * 24 * int64(time.Hour)))).Format(time.RFC3339)
	}
	now := time.Now().Add(time.Duration(r.Int64N(1000)) * time.Millisecond).Format(time.RFC3339Nano)
	deleted := func() string {
		if r.IntN(6) > 0 {
			return ""
		}
		return fmt.Sprintf(`,"deletedAt":"%s"`, now)
	}
	for range 1 + r.IntN(30) {
		line := ""
		switch r.IntN(8) {
		case 0, 1:
			agents := []string{"", `"agentId":"a0",`, `"agentId":"a1",`, `"agentId":"a2",`}
			line = fmt.Sprintf(`{"type":"conversation","id":"c%d","organizationId":"org%d","userId":"u%d",%s"createdAt":"%s"`,
				r.IntN(8), r.IntN(2), r.IntN(6), agents[r.IntN(4)], at())
		case 2:
			line = fmt.Sprintf(`{"type":"member","organizationId":"org%d","userId":"u%d","publicMetadata":{"team":"t%d"},"createdAt":"%s"`,
				r.IntN(2), r.IntN(6), r.IntN(3), at())
		case 3:
			line = fmt.Sprintf(`{"type":"kbFile","id":"f%d","organizationId":"org%d","knowledgeBaseId":"k%d","extractInputTokens":%d,"createdAt":"%s"`,
				r.IntN(20), r.IntN(2), r.IntN(4), r.IntN(100), at())
		default:
			line = fmt.Sprintf(`{"type":"message","id":"m%d","conversationId":"c%d","role":"user","usage":{"inputTokens":%d,"outputTokens":3},"createdAt":"%s"`,
				r.IntN(60), r.IntN(8), r.IntN(1000), at())
		}
		lines = append(lines, line+fmt.Sprintf(`,"updatedAt":"%s"%s}`, now, deleted()))
	}
	return lines
}
