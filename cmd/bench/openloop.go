package main

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/loader/sample"
)

// asker is an organization that asks at a rate, whether or not it gets answers.
type asker struct {
	org       sample.Organization
	token     string
	perSecond float64
}

// outcomes are the outcomes of an asker's requests.
type outcomes struct {
	mu       sync.Mutex
	accepted latencies // from a request's due time to its answer, of those answered with 200
	refused  latencies // of those answered with 429 or 503, with Retry-After
	failed   int       // everything else
}

// settleTime is how long an open loop runs before the outcomes of its requests count, because a burst is treated
// differently.
const settleTime = 4 * time.Second

// openLoop lets all askers ask for a time, each request when it is due, however slow the earlier ones are.
func openLoop(ctx context.Context, s *server, duration time.Duration, askers ...asker) ([]*outcomes, error) {
	group, ctx := errgroup.WithContext(ctx)
	all := make([]*outcomes, len(askers))
	for i, a := range askers {
		all[i] = &outcomes{}
		group.Go(func() error { return a.ask(ctx, s, all[i], duration) })
	}
	return all, group.Wait()
}

// ask sends requests with random pauses between them, as the requests of many people arrive.
func (a asker) ask(ctx context.Context, s *server, o *outcomes, duration time.Duration) error {
	random := rand.New(rand.NewPCG(rand.Uint64(), 0))
	var underWay sync.WaitGroup
	defer underWay.Wait()
	pause := func() time.Duration { return time.Duration(random.ExpFloat64() / a.perSecond * float64(time.Second)) }
	begin := time.Now().Add(settleTime)
	end := begin.Add(duration)
	for due := time.Now().Add(pause()); due.Before(end); due = due.Add(pause()) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Until(due)):
		}
		query := queryOf(randomWindow(random, a.org))
		outcome := o
		if due.Before(begin) {
			outcome = &outcomes{} // nobody's
		}
		underWay.Go(func() { outcome.send(s, a.token, query, due) })
	}
	return nil
}

func (o *outcomes) send(s *server, token, query string, due time.Time) {
	request, response := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(request)
	defer fasthttp.ReleaseResponse(response)
	request.Header.Set(fasthttp.HeaderAuthorization, "Bearer "+token)
	request.SetRequestURI("http://" + s.client.Addr + statsPath + "?" + query)
	err := s.client.Do(request, response)
	took, status := time.Since(due), response.StatusCode()
	o.mu.Lock()
	defer o.mu.Unlock()
	switch turnedAway := status == fasthttp.StatusTooManyRequests || status == fasthttp.StatusServiceUnavailable; {
	case err == nil && status == fasthttp.StatusOK:
		o.accepted = append(o.accepted, took)
	case err == nil && turnedAway && len(response.Header.Peek(fasthttp.HeaderRetryAfter)) > 0:
		o.refused = append(o.refused, took)
	default:
		o.failed++
	}
}
