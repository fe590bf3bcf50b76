package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/retry"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	overloadOrganizations = 20  // that ask; the largest among them
	noisyShare            = 0.2 // of what the service can hold: the noisy organization's limit
	quietShare            = 0.1 // of what the service can hold: what the quiet one asks
)

// gateOptions are the defaults of `orgstats serve`.
var gateOptions = limit.GateOptions{UnderWay: runtime.NumCPU() + 1, Waiting: 64, Patience: 2 * time.Second}

// phase is a load that is measured, in shares of what the service can hold.
type phase struct {
	name        string
	limit       float64 // of each organization's rate; 0: none
	share       float64 // that is asked
	first, last int     // of the organizations that ask
	noisy       float64 // that the largest organization asks beside them
	result      *loadResult
}

// measureOverload asks more than the service can answer under its default limits, and more than one organization may
// ask. Nothing is kept in memory, so that each question has to be fetched.
func (b *bench) measureOverload(ctx context.Context, db *database) error {
	r := &overloadResult{}
	o := &overload{bench: b, db: db, result: r}
	if err := o.capacity(ctx); err != nil {
		return err
	}
	r.MemoryBefore = residentMemory()
	for _, p := range []phase{
		{"all organizations, half of what can be held", 0, 0.5, 0, overloadOrganizations, 0, &r.Half},
		{"all organizations, three times what can be held", 0, 3, 0, overloadOrganizations, 0, &r.Thrice},
		{"a quiet organization alone", noisyShare, quietShare, 1, 2, 0, &r.QuietAlone},
		{"a quiet organization beside one at its limit", noisyShare, quietShare, 1, 2, noisyShare, &r.QuietBeside},
		{"a quiet organization beside one at ten times its limit", noisyShare, quietShare, 1, 2, 10 * noisyShare, &r.QuietBesideNoisy},
	} {
		o.log.Info("asking", "who", p.name)
		if err := o.measure(ctx, p); err != nil {
			return err
		}
	}
	runtime.GC()
	r.MemoryAfter = residentMemory()
	b.report.Overload = r
	b.report.printOverload(b.out)
	return nil
}

type overload struct {
	*bench
	db     *database
	result *overloadResult
}

// withService runs do on a service with a gate, and with a rate limit for each organization unless the rate is 0.
func (o *overload) withService(rate float64, do func(*server, []loadtest.Organization) error) (err error) {
	servers, err := o.openServers(gateOptions.UnderWay)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	options := storeOptions
	options.Memory = 0 // answers from memory need no turn
	options.Admit = limit.NewGate(gateOptions).Enter
	s, err := servers.service(service.Config{
		Answerer: stats.NewStore(o.db.conn, options), Rates: limit.NewRates(limit.RateOptions{Organization: rate}),
	})
	if err != nil {
		return err
	}
	var organizations []loadtest.Organization
	for _, org := range o.dir.contents.Summary.Organizations[:overloadOrganizations] {
		admin, err := servers.admin(org)
		if err != nil {
			return err
		}
		organizations = append(organizations, loadtest.Organization{ID: org.ID, Callers: []loadtest.Caller{admin}})
	}
	return do(s, organizations)
}

// capacity measures how much the service answers per second when it always has as much work as it accepts.
func (o *overload) capacity(ctx context.Context) error {
	return o.withService(0, func(s *server, organizations []loadtest.Organization) error {
		group, ctx := errgroup.WithContext(ctx)
		clients := gateOptions.OneOrganization() // the other places are for the other organization
		kinds := make([]*kind, 2)
		for i, clients := range []int{clients, gateOptions.UnderWay - clients} {
			org := sample.Organization{ID: organizations[i].ID}
			distinct := func(n uint64) stats.Question { return randomWindow(rand.New(rand.NewPCG(4, n)), org) }
			kinds[i] = &kind{server: s, question: distinct}
			group.Go(func() error { return kinds[i].drive(ctx, clients, o.HTTPTime, organizations[i].Callers[0].Token) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		o.result.Capacity = kinds[0].perSecond() + kinds[1].perSecond()
		o.log.Info("measured what the service can hold", "a_second", int(o.result.Capacity))
		return nil
	})
}

func (o *overload) measure(ctx context.Context, p phase) error {
	capacity := o.result.Capacity
	return o.withService(p.limit*capacity, func(s *server, organizations []loadtest.Organization) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() (err error) {
			*p.result, err = o.load(ctx, s, p.share*capacity, organizations[p.first:p.last]...)
			return err
		})
		if p.noisy > 0 {
			group.Go(func() error {
				_, err := o.load(ctx, s, p.noisy*capacity, organizations[0])
				return err
			})
		}
		return group.Wait()
	})
}

// settleTime is how long organizations ask before the outcomes of their requests count, because a burst is treated
// differently.
const settleTime = 4 * time.Second

// load lets organizations ask at an even pace, one as often as the other, each request when it is due, however slow the
// answers are. No two questions are the same.
func (o *overload) load(ctx context.Context, s *server, perSecond float64, organizations ...loadtest.Organization) (result loadResult, err error) {
	rate := max(1, int(math.Round(perSecond)))
	ask := func(seed uint64, duration time.Duration) (*loadtest.Run, error) {
		population := loadtest.Population{Organizations: organizations, Until: until}
		test, err := loadtest.New(loadtest.Options{URL: s.url, Population: population, Seed: seed, ByHand: true})
		if err != nil {
			return nil, err
		}
		return test.Run(ctx, rate, duration), ctx.Err()
	}
	var group errgroup.Group
	group.Go(func() error {
		_, err := ask(1, settleTime)
		return err
	})
	group.Go(func() error {
		if err := retry.Wait(ctx, settleTime); err != nil {
			return err
		}
		run, err := ask(2, o.HTTPTime)
		if err == nil {
			result = loadResult{float64(run.Answered.Count) / o.HTTPTime.Seconds(), run.Answered, run.Shed, run.Failed(), run.Late}
		}
		return err
	})
	err = group.Wait()
	return result, err
}

// residentMemory returns the process's resident memory in bytes, 0 if the system does not report it.
func residentMemory() int64 {
	text, _ := os.ReadFile("/proc/self/statm")
	var size, resident int64 // in pages
	_, _ = fmt.Sscan(string(text), &size, &resident)
	return resident * int64(os.Getpagesize())
}
