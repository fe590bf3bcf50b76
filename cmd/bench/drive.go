package main

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/service/stats"
)

const (
	statsPath     = "/api/dashboard/getStats"
	rfc3339Millis = "2006-01-02T15:04:05.000Z"
)

// drive lets clients, each over a persistent connection, send one request after the other for a time.
func (k *kind) drive(ctx context.Context, clients int, duration time.Duration, token string) error {
	group, ctx := errgroup.WithContext(ctx)
	var sent atomic.Uint64
	sent.Store(k.sent)
	took := make([]latencies, clients)
	started := time.Now()
	for client := range clients {
		group.Go(func() error {
			r := newRequest(token)
			for time.Since(started) < duration {
				q := k.question(sent.Add(1))
				if err := took[client].timed(func() error { return r.send(k.server, q) }); err != nil {
					return err
				}
				if err := ctx.Err(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	k.sent, k.elapsed = sent.Load(), k.elapsed+time.Since(started)
	for _, l := range took {
		k.took = append(k.took, l...)
	}
	return err
}

// request is the request that one client sends repeatedly.
type request struct {
	request  *fasthttp.Request
	response *fasthttp.Response
}

func newRequest(token string) *request {
	r := &request{&fasthttp.Request{}, &fasthttp.Response{}}
	r.request.Header.Set(fasthttp.HeaderAuthorization, "Bearer "+token)
	return r
}

// send asks a question and accepts nothing but figures as an answer.
func (r *request) send(s *server, q stats.Question) error {
	r.request.SetRequestURI("http://" + s.client.Addr + statsPath + "?" + queryOf(q))
	if err := s.client.Do(r.request, r.response); err != nil {
		return err
	}
	if r.response.StatusCode() != fasthttp.StatusOK || !bytes.HasPrefix(r.response.Body(), []byte(`{"conversationCount":`)) {
		return fmt.Errorf("%s was answered with status %d: %.300s", r.request.URI().QueryString(), r.response.StatusCode(), r.response.Body())
	}
	return nil
}

// queryOf returns the query string of a question about a whole organization.
func queryOf(q stats.Question) string {
	at := func(ms int64) string { return time.UnixMilli(ms).UTC().Format(rfc3339Millis) }
	return url.Values{"from": {at(q.From)}, "to": {at(q.Until - 1)}, "allInOrg": {"true"}}.Encode()
}
