package main

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
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
	options.Admit = limit.NewGate(gateOptions).Enter
	s, err := servers.service(service.Config{
		Answerer: stats.NewCache(stats.NewStore(o.db.conn, options), cacheOptions), Rates: limit.NewRates(limit.RateOptions{Organization: rate}),
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

func (o *overload) half(ctx context.Context) error { return o.together(ctx, 0.5, &o.result.Half) }

func (o *overload) thrice(ctx context.Context) error {
	o.result.MemoryBefore = residentMemory()
	err := o.together(ctx, 3, &o.result.Thrice)
	runtime.GC()
	o.result.MemoryAfter = residentMemory()
	return err
}

// together lets all organizations ask at a multiple of the service's capacity.
func (o *overload) together(ctx context.Context, times float64, result *loadResult) error {
	o.log.Info("all organizations ask", "times_what_can_be_held", times)
	return o.withService(0, func(s *server, organizations []loadtest.Organization) (err error) {
		*result, err = o.load(ctx, s, times*o.result.Capacity, organizations...)
		return err
	})
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
		err := o.withService(mayAsk, func(s *server, organizations []loadtest.Organization) error {
			group, ctx := errgroup.WithContext(ctx)
			group.Go(func() (err error) {
				*phase.result, err = o.load(ctx, s, quietShare*o.result.Capacity, organizations[1])
				return err
			})
			if phase.times > 0 {
				group.Go(func() error {
					_, err := o.load(ctx, s, phase.times*mayAsk, organizations[0])
					return err
				})
			}
			return group.Wait()
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settleTime is how long organizations ask before the outcomes of their requests count, because a burst is treated
// differently.
const settleTime = 4 * time.Second

// load lets organizations ask at a rate, each request when it is due, however slow the answers are. No two questions
// are the same.
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
		if err := pause(ctx, settleTime); err != nil {
			return err
		}
		run, err := ask(2, o.HTTPTime)
		if err == nil {
			result = loadResult{float64(run.Answered.Count) / o.HTTPTime.Seconds(), run.Answered, run.Shed, run.Failed()}
		}
		return err
	})
	err = group.Wait()
	return result, err
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
