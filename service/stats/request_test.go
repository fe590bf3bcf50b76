package stats_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/orgstats/orgstats/service/stats"
)

// costs asks and returns what the answer took.
func costs(t *testing.T, cache *stats.Cache, q stats.Question) stats.Costs {
	t.Helper()
	var cost stats.CostMeter
	if _, err := cache.Answer(t.Context(), stats.Request{Question: q, Cost: &cost}); err != nil {
		t.Fatal(err)
	}
	return cost.Costs()
}

func TestCostsOfAnswers(t *testing.T) {
	d := newDatabase(t)
	d.load(t, oneConversation, oneMessage, oneMember)
	store := d.store
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
	entered, opened := make(chan struct{}), make(chan struct{})
	store := d.open(t, stats.Options{Admit: func(context.Context, string) (func(), error) {
		close(entered) // panics if there is a second question
		<-opened
		return func() {}, nil
	}})
	cache := stats.NewCache(store, stats.CacheOptions{Size: 10, MaxAge: time.Hour})
	var first stats.Costs
	var second stats.CostMeter
	var both sync.WaitGroup
	both.Go(func() { first = costs(t, cache, year("o1")) })
	<-entered
	both.Go(func() { _, _ = cache.Answer(t.Context(), stats.Request{Question: year("o1"), Cost: &second}) })
	for second.Costs().Cache == "" {
		time.Sleep(time.Millisecond)
	}
	close(opened)
	both.Wait()
	if first.Cache != stats.CacheMiss || first.Statements == 0 || first.Waited == 0 || second.Costs() != (stats.Costs{Cache: stats.CacheShared}) {
		t.Errorf("the first paid %+v, the second %+v", first, second.Costs())
	}
}

func TestWhoIsNotAdmittedIsNotAnswered(t *testing.T) {
	d := newDatabase(t)
	full := errors.New("full")
	store := d.open(t, stats.Options{Admit: func(context.Context, string) (func(), error) { return nil, full }})
	for _, size := range []int{0, 10} {
		cache := stats.NewCache(store, stats.CacheOptions{Size: size})
		if _, err := cache.Answer(t.Context(), stats.Request{Question: year("o1")}); !errors.Is(err, full) {
			t.Errorf("with a cache of %d: %v, want the refusal", size, err)
		}
	}
}

func TestKindsOfPlans(t *testing.T) {
	for source, want := range map[stats.Source]string{
		stats.Months: stats.KindCells, stats.Days: stats.KindCells, stats.Hours: stats.KindCells,
		stats.UserMonths: stats.KindActivity, stats.Activity: stats.KindActivity, stats.Messages: stats.KindRaw,
	} {
		plan := stats.Plan{Steps: []stats.Step{{Source: source}, {Source: stats.Messages}}}
		if got := plan.Kind(); got != want {
			t.Errorf("a plan with %s is called %s, want %s", source, got, want)
		}
	}
	if got := (stats.Plan{}).Kind(); got != stats.KindRaw {
		t.Errorf("an empty plan is called %s", got)
	}
}
