// Package loadtest puts a deployment under load as dashboards do, and reports how it performs.
//
// The load is an open loop: requests go out at a rate, however slow the answers are, as people do not wait for each
// other's dashboards. Organizations, callers, windows, filters and views are drawn as they come in practice: few
// organizations and callers ask most (Zipf), windows and views are those that dashboards offer. The same seed draws the
// same requests. Every answer's shape is checked, and a Verifier compares samples of the answers with the plain query.
package loadtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Options configure which deployment is put under load, and by which callers.
type Options struct {
	// URL is the deployment's URL, as in http://127.0.0.1:8080.
	URL string
	// Population is who asks. It must have at least one caller.
	Population Population
	// Seed makes draws repeatable: the same seed draws the same requests.
	Seed uint64
	// Timeout is how long a client waits for an answer; 0 means 30 seconds.
	Timeout time.Duration
	// ByHand lets every window have ends of its own, so that no two questions are the same, and all organizations ask
	// alike, for figures of the window as a whole.
	ByHand bool
	// Verifier compares samples of the answers; nil compares none.
	Verifier *Verifier
}

// Test puts one deployment under load. Its runs happen one after the other.
type Test struct {
	options Options
	client  http.Client
	mix     *mix
	started time.Time
	current atomic.Pointer[collector] // of the current run, nil between runs
}

const (
	requestIDHeader = "X-Request-Id"

	figuresPath    = "/api/dashboard/" // before the endpoint
	readyPath      = "/readyz"
	defaultTimeout = 30 * time.Second
	// idleConnections is how many connections are kept open between requests: an open loop against a slow service needs
	// many.
	idleConnections = 10_000
)

// New returns a test.
func New(o Options) (*Test, error) {
	if o.Population.callers() == 0 {
		return nil, errors.New("nobody is there who could ask: the load test needs a caller with an organization")
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, idleConnections
	return &Test{
		options: o,
		client:  http.Client{Transport: transport, Timeout: o.Timeout, CheckRedirect: never},
		mix:     newMix(o.Population, o.Seed, o.ByHand),
		started: time.Now(),
	}, nil
}

// urlOf returns the URL of a request.
func (t *Test) urlOf(r request) string {
	return strings.TrimSuffix(t.options.URL, "/") + figuresPath + r.endpoint + "?" + r.query.Encode()
}

// never refuses to follow redirects: the service has none, so that a redirect is judged as an answer.
func never(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// get requests a URL, and returns the answer without its body.
func get(ctx context.Context, client *http.Client, url string, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("%s is no deployment's URL: %w", url, err)
	}
	request.Header = header
	response, err := client.Do(request)
	if err == nil {
		_ = response.Body.Close()
	}
	return response, err
}

// Ready returns why a deployment can't be put under load, or nil if it is ready.
func Ready(ctx context.Context, url string) error {
	client := &http.Client{Timeout: defaultTimeout}
	defer client.CloseIdleConnections()
	response, err := get(ctx, client, strings.TrimSuffix(url, "/")+readyPath, http.Header{})
	if err != nil {
		return fmt.Errorf("nothing answers at %s: start the service, or name another one with --url: %w", url, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s%s answers %s: the service is not ready to be put under load", url, readyPath, response.Status)
	}
	return nil
}

// AskOnce asks one question, so that tokens that are not accepted are found before the load begins.
func (t *Test) AskOnce(ctx context.Context) error {
	r := t.mix.next(0)
	response, err := get(ctx, &t.client, t.urlOf(r), http.Header{"Authorization": {"Bearer " + r.caller.Token}})
	if err != nil {
		return fmt.Errorf("the first question gets no answer: %w", err)
	}
	switch response.StatusCode {
	case http.StatusUnauthorized:
		return fmt.Errorf("the service at %s does not accept the token of %s: sign with the key of its own data directory "+
			"(serve --dev-auth, --data-dir), or give tokens of its instance (--tokens)", t.options.URL, r.caller.UserID)
	case http.StatusOK, http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return nil
	}
	return fmt.Errorf("the first question is answered %s, under the request id %s", response.Status, response.Header.Get(requestIDHeader))
}
