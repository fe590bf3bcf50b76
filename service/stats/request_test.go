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
func (d *database) costs(store *stats.Store, q stats.Question) stats.Costs {
	d.Helper()
	var cost stats.CostMeter
	if _, err := store.Answer(d.Context(), stats.Request{Question: q, Cost: &cost}); err != nil {
		d.Fatal(err)
	}
	return cost.Costs()
}

func TestCostsOfAnswers(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage, oneMember)
	kept := d.store(stats.Options{Memory: enough, MaxAge: time.Hour})
	ofUser, short := year("o1"), year("o1")
	ofUser.UserID = "u1"
	short.Until = short.From + 1
	for _, row := range []struct {
		why        string
		store      *stats.Store
		question   stats.Question
		cached     string
		filter     string
		statements int
	}{
		{"the first time", kept, year("o1"), stats.CacheMiss, stats.FilterNone, 5}, // the log's end, state, cells, files, the log
		{"from memory", kept, year("o1"), stats.CacheHit, stats.FilterNone, 0},
		{"a user's", kept, ofUser, stats.CacheMiss, stats.FilterUser, 2}, // activity, the log; files are known
		{"a user's again", kept, ofUser, stats.CacheHit, stats.FilterUser, 0},
		{"a window within an hour", kept, short, stats.CacheMiss, stats.FilterNone, 3}, // messages, files, the log
		{"the same again", kept, short, stats.CacheHit, stats.FilterNone, 0},
	} {
		got := d.costs(row.store, row.question)
		if got.Cache != row.cached || got.Filter != row.filter || got.Statements != row.statements {
			t.Errorf("%s: %+v, want %+v", row.why, got, row)
		}
	}
	if use := kept.Memory(); use.Bytes <= 0 || use.Buckets == 0 || use.Organizations != 1 || use.Evicted != 0 || kept.Fetches() != 3 {
		t.Errorf("%+v is in memory after %d fetches", use, kept.Fetches())
	}
}

// Equal questions that arrive together are fetched for once; the one who asks first pays.
func TestCostsOfSharedAnswers(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage)
	entered, opened := make(chan struct{}), make(chan struct{})
	store := d.store(stats.Options{Memory: enough, MaxAge: time.Hour, Admit: func(context.Context, string) (func(), error) {
		close(entered) // panics if there is a second question
		<-opened
		return func() {}, nil
	}})
	var first stats.Costs
	var second stats.CostMeter
	var both sync.WaitGroup
	both.Go(func() { first = d.costs(store, year("o1")) })
	<-entered
	both.Go(func() { _, _ = store.Answer(t.Context(), stats.Request{Question: year("o1"), Cost: &second}) })
	for second.Costs().Cache == "" {
		time.Sleep(time.Millisecond)
	}
	close(opened)
	both.Wait()
	if first.Cache != stats.CacheMiss || first.Statements == 0 || first.Waited == 0 ||
		second.Costs() != (stats.Costs{Cache: stats.CacheShared, Filter: stats.FilterNone}) {
		t.Errorf("the first paid %+v, the second %+v", first, second.Costs())
	}
}

func TestWhoIsNotAdmittedIsNotAnswered(t *testing.T) {
	d := newDatabase(t)
	full := errors.New("full")
	store := d.store(stats.Options{Admit: func(context.Context, string) (func(), error) { return nil, full }})
	if _, err := store.Answer(t.Context(), stats.Request{Question: year("o1")}); !errors.Is(err, full) {
		t.Errorf("%v, want the refusal", err)
	}
}
