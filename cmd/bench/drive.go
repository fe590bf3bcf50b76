package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/retry"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	statsPath     = "/api/dashboard/getStats"
	rfc3339Millis = "2006-01-02T15:04:05.000Z"
)

// timed runs do and adds its duration to the latencies, unless it fails.
func timed(l *loadtest.Latencies, do func() error) error {
	started := time.Now()
	err := do()
	if err == nil {
		l.Add(time.Since(started))
	}
	return err
}

// client asks one question after the other.
type client struct {
	next func() stats.Question
	ask  func(context.Context, stats.Question) error
}

// repeatedly lets clients ask, one question after the other, for a time, and adds to the latencies how long the answers
// took, without the choice of the question. A client's questions come at the given interval, or later if the answers
// take longer.
func repeatedly(
	ctx context.Context, l *loadtest.Latencies, clients int, interval, duration time.Duration, newClient func(n int) client,
) error {
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	started := time.Now()
	for n := range clients {
		c := newClient(n)
		group.Go(func() error {
			for time.Since(started) < duration {
				question := c.next()
				began := time.Now()
				if err := c.ask(ctx, question); err != nil {
					return err
				}
				took := time.Since(began)
				mu.Lock()
				l.Add(took)
				mu.Unlock()
				if rest := interval - took; rest > 0 {
					_ = retry.Wait(ctx, rest)
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

type kind struct {
	name     string
	server   *server
	question func(n uint64) stats.Question // of the n-th request
	sent     atomic.Uint64
	took     loadtest.Latencies
	elapsed  time.Duration
}

func (k *kind) perSecond() float64 { return float64(k.took.Count) / k.elapsed.Seconds() }

// drive lets clients, each over a persistent connection, send one request after the other for a time.
func (k *kind) drive(ctx context.Context, clients int, duration time.Duration, token string) error {
	started := time.Now()
	defer func() { k.elapsed += time.Since(started) }()
	return repeatedly(ctx, &k.took, clients, 0, duration, func(int) client {
		r := newRequest(token)
		return client{
			next: func() stats.Question { return k.question(k.sent.Add(1)) },
			ask:  func(_ context.Context, q stats.Question) error { return r.send(k.server, q) },
		}
	})
}

// request is the request that one client sends repeatedly.
type request struct {
	request  *fasthttp.Request
	response *fasthttp.Response
}

func newRequest(token string) *request {
	r := &request{&fasthttp.Request{}, &fasthttp.Response{}}
	r.authorize(token)
	return r
}

func (r *request) authorize(token string) {
	r.request.Header.Set(fasthttp.HeaderAuthorization, "Bearer "+token)
}

// send asks a question about a whole organization, and accepts nothing but figures as an answer.
func (r *request) send(s *server, q stats.Question) error {
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(rfc3339Millis) }
	query := url.Values{"from": {at(q.From)}, "to": {at(q.Until - 1)}, "allInOrg": {"true"}}.Encode()
	r.request.SetRequestURI(s.url + statsPath + "?" + query)
	if err := s.client.Do(r.request, r.response); err != nil {
		return err
	}
	if r.response.StatusCode() != fasthttp.StatusOK || !bytes.HasPrefix(r.response.Body(), []byte(`{"conversationCount":`)) {
		return fmt.Errorf("%s was answered with status %d: %.300s", query, r.response.StatusCode(), r.response.Body())
	}
	return nil
}
