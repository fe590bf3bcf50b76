package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	turns  = 5   // in which each kind of request is measured, so that all run under the same conditions
	single = 400 // requests that are compared with the store's own time
)

// measureHTTP measures the service over HTTP, from this same process, which shares the processors with it.
func (b *bench) measureHTTP(ctx context.Context, db *database) (err error) {
	servers, err := b.startServers(db)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	month := windows[5].question(db.org)
	same := func(uint64) stats.Question { return month }
	distinct := func(n uint64) stats.Question { return randomWindow(rand.New(rand.NewPCG(2, n)), db.org) }
	cached := &kind{name: "same question again", server: servers.cached, question: same}
	constant := &kind{name: "constant handler, same authentication", server: servers.handler, question: same}
	kinds := []*kind{
		{name: "distinct windows, uncached", server: servers.uncached, question: distinct},
		cached,
		{name: "service with constant answers", server: servers.constant, question: same},
		constant,
	}
	for turn := range turns {
		b.log.Info("sending requests", "turn", turn+1, "of", turns)
		for _, k := range kinds {
			if err := k.drive(ctx, b.Clients, b.HTTPTime/turns, servers.token); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
	}
	result := &httpResult{Clients: b.Clients, CachedToConstant: cached.perSecond() / constant.perSecond()}
	for _, k := range kinds {
		result.Kinds = append(result.Kinds, kindResult{k.name, k.perSecond(), k.took.summary()})
	}
	if err := measureOverhead(ctx, db.org, servers, result); err != nil {
		return err
	}
	b.report.HTTP = result
	return b.report.printHTTP(b.out)
}

// measureOverhead asks questions about days one at a time, and subtracts from each request's time the time that the
// store took for the answer.
func measureOverhead(ctx context.Context, org sample.Organization, servers *servers, result *httpResult) error {
	var overHTTP, inStore, beyond latencies
	request := newRequest(servers.token)
	random := rand.New(rand.NewPCG(3, 0))
	for range single {
		q := randomDay(random, org)
		if err := overHTTP.timed(func() error { return request.send(servers.uncached, q) }); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		last := time.Duration(servers.store.last.Load())
		inStore, beyond = append(inStore, last), append(beyond, overHTTP[len(overHTTP)-1]-last)
	}
	result.OneAtATime, result.Store, result.OverStore = overHTTP.summary(), inStore.summary(), beyond.summary()
	return nil
}

// kind is one kind of request.
type kind struct {
	name     string
	server   *server
	question func(n uint64) stats.Question // of the n-th request
	sent     uint64
	took     latencies
	elapsed  time.Duration
}

func (k *kind) perSecond() float64 { return float64(len(k.took)) / k.elapsed.Seconds() }
