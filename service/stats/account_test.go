package stats_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/service/stats"
)

// observed gives a store whose statements are counted in the account of their question.
func (d *database) observed(t *testing.T) *stats.Store {
	t.Helper()
	conn, err := clickhouse.Open(t.Context(), d.url, clickhouse.Pool{MaxOpen: 8, MaxIdle: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	count := func(ctx context.Context, o clickhouse.Observation) { stats.AddStatement(ctx, o.Rows) }
	store := stats.NewStore(clickhouse.Observe(conn, noop.NewTracerProvider().Tracer(""), count), clickhouse.Limits{Time: time.Minute})
	store.Few = 0 // tests have few messages
	return store
}

// costs asks and tells what the answer took.
func costs(t *testing.T, cache *stats.Cache, q stats.Question) stats.Costs {
	t.Helper()
	ctx, account := stats.WithAccount(t.Context())
	if _, err := cache.Answer(ctx, q); err != nil {
		t.Fatal(err)
	}
	return account.Costs()
}

func TestCostsOfAnswers(t *testing.T) {
	d := newDatabase(t)
	d.load(t, oneConversation, oneMessage, oneMember)
	store := d.observed(t)
	cached := stats.NewCache(store, stats.CacheOptions{Size: 10, MaxAge: time.Hour})
	bare := stats.NewCache(store, stats.CacheOptions{})
	ofUser, short := year("o1"), year("o1")
	ofUser.UserID = "u1"
	short.Until = short.From + 1
	for _, row := range []struct {
		why         string
		cache       *stats.Cache
		question    stats.Question
		cached      string
		plan        string
		statements  int
		readsNoRows bool
	}{
		{"the first time", cached, year("o1"), stats.CacheMiss, stats.KindCells, 5, false}, // state, size, cells, files, counter
		{"from memory", cached, year("o1"), stats.CacheHit, "", 0, true},
		{"a user's", cached, ofUser, stats.CacheMiss, stats.KindActivity, 5, false}, // state, the user's number, months, files, counter
		{"a user's again, whose number is known", bare, ofUser, stats.CacheOff, stats.KindActivity, 3, false},
		{"a window too short for cells", cached, short, stats.CacheMiss, stats.KindRaw, 4, false}, // state, messages, files, counter
		{"the same without a cache", bare, short, stats.CacheOff, stats.KindRaw, 3, false},
	} {
		got := costs(t, row.cache, row.question)
		if got.Cache != row.cached || got.Plan != row.plan || got.Statements != row.statements || (got.Rows == 0) != row.readsNoRows {
			t.Errorf("%s: %+v, want %+v", row.why, got, row)
		}
	}
}

// Equal questions that arrive together are asked once; the one who asks first pays.
func TestCostsOfSharedAnswers(t *testing.T) {
	d := newDatabase(t)
	d.load(t, oneConversation, oneMessage)
	store := d.observed(t)
	entered, opened := make(chan struct{}), make(chan struct{})
	store.AdmitWith(func(context.Context, string) (func(), error) {
		close(entered) // panics if there is a second question
		<-opened
		return func() {}, nil
	})
	cache := stats.NewCache(store, stats.CacheOptions{Size: 10, MaxAge: time.Hour})
	var first, second stats.Costs
	var both sync.WaitGroup
	both.Go(func() { first = costs(t, cache, year("o1")) })
	<-entered
	joined, account := stats.WithAccount(t.Context())
	both.Go(func() { _, _ = cache.Answer(joined, year("o1")) })
	for account.Costs().Cache == "" {
		time.Sleep(time.Millisecond)
	}
	close(opened)
	both.Wait()
	second = account.Costs()
	if first.Cache != stats.CacheMiss || first.Statements == 0 || first.Waited == 0 || second != (stats.Costs{Cache: stats.CacheShared}) {
		t.Errorf("the first paid %+v, the second %+v", first, second)
	}
}

func TestWhoIsNotAdmittedIsNotAnswered(t *testing.T) {
	d := newDatabase(t)
	full := errors.New("full")
	d.store.AdmitWith(func(context.Context, string) (func(), error) { return nil, full })
	for _, size := range []int{0, 10} {
		cache := stats.NewCache(d.store, stats.CacheOptions{Size: size})
		if _, err := cache.Answer(t.Context(), year("o1")); !errors.Is(err, full) {
			t.Errorf("with a cache of %d: %v, want the refusal", size, err)
		}
	}
}

func TestKindsOfPlans(t *testing.T) {
	for source, want := range map[stats.Source]string{
		stats.Months: stats.KindCells, stats.Days: stats.KindCells, stats.Hours: stats.KindCells,
		stats.UserMonths: stats.KindActivity, stats.Activity: stats.KindActivity, stats.Messages: stats.KindRaw,
	} {
		plan := stats.Plan{Parts: []stats.Part{{Source: source}, {Source: stats.Messages}}}
		if got := plan.Kind(); got != want {
			t.Errorf("a plan with %s is called %s, want %s", source, got, want)
		}
	}
	if got := (stats.Plan{}).Kind(); got != stats.KindRaw {
		t.Errorf("an empty plan is called %s", got)
	}
}
