package main

import (
	"context"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	overloadOrganizations = 20      // that ask; the largest among them
	overloadClients       = 1 << 14 // connections that the open loop may hold
	noisyShare            = 0.2     // of what the service can hold: the noisy organization's limit
	quietShare            = 0.1     // of what the service can hold: what the quiet one asks
)

// gateOptions are the defaults of `orgstats serve`.
var gateOptions = limit.GateOptions{UnderWay: runtime.NumCPU() + 1, Waiting: 64, Patience: 2 * time.Second}

// measureOverload asks more than the service can answer under its default limits, and more than one organization may
// ask. No two questions are the same, so that the cache does not help.
func (b *bench) measureOverload(ctx context.Context, db *database) error {
	o := &overload{bench: b, db: db, result: &overloadResult{}}
	for _, step := range []func(context.Context) error{o.capacity, o.half, o.thrice, o.noisy} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	b.report.Overload = o.result
	return b.report.printOverload(b.out)
}

type overload struct {
	*bench
	db     *database
	result *overloadResult
}

// withService runs do on a service with a gate, and with a rate limit for each organization unless the rate is 0.
func (o *overload) withService(rate float64, do func(*server, []asker) error) (err error) {
	key, err := auth.OpenDevKey(o.dir.data())
	if err != nil {
		return err
	}
	verifier, err := auth.New(context.Background(), auth.Config{Issuer: key.Issuer(), PublicKey: key.PublicPEM()})
	if err != nil {
		return err
	}
	defer verifier.Close()
	options := storeOptions
	options.Admit = limit.NewGate(gateOptions).Enter
	store := stats.NewStore(o.db.conn, options)
	s := &servers{clients: overloadClients, close: func() {}}
	served, err := s.start(service.New(service.Config{
		Answerer: stats.NewCache(store, cacheOptions), Authenticator: verifier, Rates: limit.NewRates(limit.RateOptions{Organization: rate}),
	}))
	if err != nil {
		return err
	}
	askers, err := o.askers(key)
	if err == nil {
		err = do(served, askers)
	}
	if stopped := s.stop(); err == nil {
		err = stopped
	}
	return err
}

// askers returns organizations that together ask once a second.
func (o *overload) askers(key *auth.DevKey) (all []asker, err error) {
	for _, org := range o.dir.contents.Summary.Organizations[:overloadOrganizations] {
		token, err := key.Sign(auth.Caller{OrgID: org.ID, UserID: org.AdminUserID, Role: "org:admin"}, tokenTime)
		if err != nil {
			return nil, err
		}
		all = append(all, asker{org, token, 1.0 / overloadOrganizations})
	}
	return all, nil
}

// at returns the askers, scaled so that together they ask at a rate.
func at(perSecond float64, askers []asker) []asker {
	scaled := make([]asker, len(askers))
	for i, a := range askers {
		a.perSecond *= perSecond
		scaled[i] = a
	}
	return scaled
}

// capacity measures how much the service answers per second when it always has as much work as it accepts.
func (o *overload) capacity(ctx context.Context) error {
	return o.withService(0, func(s *server, askers []asker) error {
		clients := gateOptions.OneOrganization() // the other places are for the other organization
		kinds := []*kind{o.asking(s, askers[0]), o.asking(s, askers[1])}
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return kinds[0].drive(ctx, clients, o.HTTPTime, askers[0].token) })
		group.Go(func() error { return kinds[1].drive(ctx, gateOptions.UnderWay-clients, o.HTTPTime, askers[1].token) })
		if err := group.Wait(); err != nil {
			return err
		}
		o.result.Capacity = kinds[0].perSecond() + kinds[1].perSecond()
		o.log.Info("measured what the service can hold", "a_second", int(o.result.Capacity))
		return nil
	})
}

// asking returns the kind of request that asks an organization's distinct questions.
func (o *overload) asking(s *server, a asker) *kind {
	return &kind{server: s, question: func(n uint64) stats.Question { return randomWindow(rand.New(rand.NewPCG(4, n)), a.org) }}
}

func (o *overload) half(ctx context.Context) (err error) {
	o.result.Half, err = o.together(ctx, 0.5)
	return err
}

func (o *overload) thrice(ctx context.Context) (err error) {
	o.result.MemoryBefore = residentMemory()
	o.result.Thrice, err = o.together(ctx, 3)
	runtime.GC()
	o.result.MemoryAfter = residentMemory()
	return err
}

// together lets all organizations ask at a multiple of the service's capacity.
func (o *overload) together(ctx context.Context, times float64) (result loadResult, err error) {
	o.log.Info("all organizations ask", "times_what_can_be_held", times)
	err = o.withService(0, func(s *server, askers []asker) error {
		all, err := openLoop(ctx, s, o.HTTPTime, at(times*o.result.Capacity, askers)...)
		result = summarize(o.HTTPTime, all...)
		return err
	})
	return result, err
}

// noisy lets a quiet organization ask little: alone, while another one asks as much as it may, and while it asks ten
// times that.
func (o *overload) noisy(ctx context.Context) error {
	mayAsk := noisyShare * o.result.Capacity
	for _, phase := range []struct {
		times  float64
		result *loadResult
	}{{0, &o.result.QuietAlone}, {1, &o.result.QuietBeside}, {10, &o.result.QuietBesideNoisy}} {
		o.log.Info("a quiet organization asks", "another_asks_times_its_limit", phase.times)
		err := o.withService(mayAsk, func(s *server, askers []asker) error {
			quiet, noisy := askers[1], askers[0]
			quiet.perSecond, noisy.perSecond = quietShare*o.result.Capacity, phase.times*mayAsk
			asking := []asker{quiet}
			if phase.times > 0 {
				asking = append(asking, noisy)
			}
			all, err := openLoop(ctx, s, o.HTTPTime, asking...)
			*phase.result = summarize(o.HTTPTime, all[0])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// summarize adds up the outcomes of several askers.
func summarize(duration time.Duration, all ...*outcomes) loadResult {
	var accepted, refused latencies
	var r loadResult
	for _, o := range all {
		accepted, refused = append(accepted, o.accepted...), append(refused, o.refused...)
		r.Failed += o.failed
	}
	r.PerSecond = float64(len(accepted)) / duration.Seconds()
	r.Accepted, r.Refused = accepted.summary(), refused.summary()
	return r
}

// residentMemory returns the process's resident memory in bytes, 0 if the system does not report it.
func residentMemory() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
