package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	turns  = 5   // in which each kind of request is measured, so that all run under the same conditions
	single = 400 // requests that are compared with the store's own time
)

// measureHTTP measures the service over HTTP, from this same process, which shares the processors with it.
func (b *bench) measureHTTP(ctx context.Context, db *database) (err error) {
	servers, err := b.openServers(b.Clients)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	admin, err := servers.admin(db.org)
	if err != nil {
		return err
	}
	var last atomic.Int64 // nanoseconds that the store took for the last answer
	timed := func(ctx context.Context, r stats.Request) (stats.Answer, error) {
		defer func(started time.Time) { last.Store(int64(time.Since(started))) }(time.Now())
		return db.store.Answer(ctx, r)
	}
	ours, err1 := servers.service(service.Config{Answerer: answerer(timed)})
	constant, err2 := servers.service(service.Config{Answerer: answerer(constantAnswer)})
	handler, err3 := servers.constantHandler()
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	month := windows[5].question(db.org)
	same := func(uint64) stats.Question { return month }
	distinct := func(n uint64) stats.Question { return randomWindow(rand.New(rand.NewPCG(2, n)), db.org) }
	kinds := []*kind{
		{name: "distinct windows", server: ours, question: distinct},
		{name: "same question again", server: ours, question: same},
		{name: "service with constant answers", server: constant, question: same},
		{name: "constant handler, same authentication", server: handler, question: same},
	}
	if err := b.warmUp(ctx, db); err != nil {
		return err
	}
	for turn := range turns {
		b.log.Info("sending requests", "turn", turn+1, "of", turns)
		for _, k := range kinds {
			if err := k.drive(ctx, b.Clients, b.HTTPTime/turns, admin.Token); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
	}
	result := &httpResult{
		Clients:        b.Clients,
		SameToConstant: kinds[1].perSecond() / kinds[3].perSecond(), DistinctToConstant: kinds[0].perSecond() / kinds[3].perSecond(),
	}
	for _, k := range kinds {
		result.Kinds = append(result.Kinds, kindResult{k.name, k.perSecond(), k.took.Summary()})
	}
	if err := measureOverhead(ctx, db.org, ours, &last, admin.Token, result); err != nil {
		return err
	}
	b.report.HTTP = result
	b.report.printHTTP(b.out)
	return nil
}

// warmUp asks about windows that end within each hour of the year, so that what is fetched for the first question about
// an hour is in memory, as it is in a service that has been running.
func (b *bench) warmUp(ctx context.Context, db *database) error {
	b.log.Info("asking about every hour")
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(b.Clients)
	const half = days * 24 / 2
	for n := range half {
		from := until.Add(-days*24*time.Hour + time.Duration(n)*time.Hour + time.Minute)
		group.Go(func() error {
			_, err := db.answer(ctx, window{from: from, until: from.Add(half * time.Hour)}.question(db.org))
			return err
		})
	}
	return group.Wait()
}

// measureOverhead asks questions about days one at a time, and subtracts from each request's time the time that the
// store took for the answer.
func measureOverhead(ctx context.Context, org sample.Organization, s *server, last *atomic.Int64, token string, result *httpResult) error {
	var overHTTP, inStore, beyond loadtest.Latencies
	request := newRequest(token)
	random := rand.New(rand.NewPCG(3, 0))
	for range single {
		q := randomDay(random, org)
		started := time.Now()
		if err := errors.Join(request.send(s, q), ctx.Err()); err != nil {
			return err
		}
		took, ofStore := time.Since(started), time.Duration(last.Load())
		overHTTP.Add(took)
		inStore.Add(ofStore)
		beyond.Add(took - ofStore)
	}
	result.OneAtATime, result.Store, result.OverStore = overHTTP.Summary(), inStore.Summary(), beyond.Summary()
	return nil
}
