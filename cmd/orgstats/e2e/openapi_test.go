package e2e

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/openapi"
	"github.com/orgstats/orgstats/service/openapi/openapitest"
)

// describe reads the description from a service.
func (s *server) describe() *openapitest.Description {
	s.Helper()
	response, err := s.client.Get("http://" + s.address + "/openapi.json")
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	text := readAll(s.T, response.Body)
	if document, _ := openapi.Describe(gjson.Get(text, "info.version").String()); text != string(document) {
		s.Error("/openapi.json is not the description that is embedded")
	}
	return openapitest.Read(s.T, text)
}

// figurePaths are the paths of all endpoints that answer with figures.
var figurePaths = []string{statsPath, seriesPath, breakdownPath}

const statsPath = "/api/dashboard/getStats"

// withGrouping returns a question with the parameters that an endpoint requires beside its own.
func withGrouping(path string, query url.Values) url.Values {
	query = maps.Clone(query)
	switch path {
	case seriesPath:
		query.Set("interval", "year")
	case breakdownPath:
		query.Set("groupBy", "role")
	}
	return query
}

// provoked collects the answers that were provoked.
type provoked struct {
	*testing.T
	*openapitest.Description
	seen map[string]bool
}

// expect checks an answer that was provoked, to a request for the path.
func (p *provoked) expect(why, path string, status int, response *http.Response, err error) {
	p.Helper()
	if err != nil {
		p.Errorf("%s: %v", why, err)
		return
	}
	defer response.Body.Close()
	body := readAll(p.T, response.Body)
	if response.StatusCode != status {
		p.Errorf("%s: status %d, want %d: %.200s", why, response.StatusCode, status, body)
		return
	}
	if complaints := p.Complaints(path, response, body); len(complaints) > 0 {
		p.Errorf("%s: status %d is not as described: %q\n%v %.200s", why, status, complaints, response.Header, body)
	}
	p.seen[fmt.Sprint(path, " ", status)] = true
}

// get requests a path with a query from a server.
func (s *server) get(path, token string, query url.Values, header http.Header) (*http.Response, error) {
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, "http://"+s.address+path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	maps.Copy(request.Header, header)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return s.client.Do(request)
}

// wire sends bytes as they are, and reads the answer.
func (s *server) wire(text string) (*http.Response, error) {
	s.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		return nil, err
	}
	s.Cleanup(func() { _ = conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(patience))
	go func() { _, _ = io.WriteString(conn, text) }() // the answer may arrive before everything is sent
	return http.ReadResponse(bufio.NewReader(conn), nil)
}

// shortWindow returns one of many windows that only the messages can answer, which are not in memory.
func shortWindow(hour int) url.Values {
	at := time.Date(2024, 1, 1, hour, 0, 0, 0, time.UTC)
	return url.Values{"from": {at.Format(time.RFC3339)}, "to": {at.Add(10 * time.Minute).Format(time.RFC3339)}, "allInOrg": {"true"}}
}

// TestServiceKeepsToItsDescription provokes every answer that is described, and checks that each is as described.
func TestServiceKeepsToItsDescription(t *testing.T) {
	t.Parallel()
	i := install(t)
	if o := i.runWith(conversationLine("c1"), "load", "-"); o.status != cli.ExitOK {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	s := i.serve()
	p := &provoked{t, s.describe(), map[string]bool{}}
	p.goodAnswers(s)
	p.refusals(s)
	p.noRequests(s)
	p.limits(i)
	p.outages(i)
	for _, described := range slices.Sorted(maps.Keys(p.Documented)) {
		if !p.seen[described] {
			t.Errorf("%s is described and was not provoked", described)
		}
	}
}

func (p *provoked) goodAnswers(s *server) {
	p.Helper()
	admin := s.token(adminOfA)
	for _, path := range []string{"/livez", "/readyz", "/openapi.json", "/docs", "/"} {
		p.good(s, path, admin, nil, nil)
	}
	for _, path := range figurePaths {
		query := withGrouping(path, always())
		for _, header := range []http.Header{nil, {"Accept": {"text/csv"}}} {
			p.good(s, path, admin, query, header)
			query.Set("compare", "previous")
			p.good(s, path, admin, query, header)
		}
	}
	divided := withGrouping(breakdownPath, always())
	divided.Set("interval", "year")
	p.good(s, breakdownPath, admin, divided, nil)
	long := url.Values{"from": {"2021-03-01T00:00:00Z"}, "to": {"2023-12-31T00:00:00Z"}, "interval": {"day"}, "format": {"csv"}}
	p.good(s, seriesPath, admin, long, nil) // in pieces
}

// good sends a good request, and the same once more with the tag of the answer.
func (p *provoked) good(s *server, path, token string, query url.Values, header http.Header) {
	p.Helper()
	response, err := s.get(path, token, query, header)
	p.expect("a good request for "+path, path, http.StatusOK, response, err)
	if err != nil || response.Header.Get("ETag") == "" {
		return
	}
	known := http.Header{"If-None-Match": {response.Header.Get("ETag")}}
	maps.Copy(known, header)
	response, err = s.get(path, token, query, known)
	p.expect("what the caller has already of "+path, path, http.StatusNotModified, response, err)
}

func (p *provoked) refusals(s *server) {
	p.Helper()
	member := auth.Caller{OrgID: "org_a", UserID: "user_2", Role: "org:member"}
	for _, row := range []struct {
		why    string
		token  string
		query  url.Values
		status int
	}{
		{"one mistake", s.token(adminOfA), url.Values{"from": {"2024-01-01T00:00:00Z"}}, http.StatusBadRequest},
		{"several mistakes", s.token(adminOfA), url.Values{"from": {"now"}, "allInOrg": {"yes"}, "x": {""}}, http.StatusBadRequest},
		{"no organization", s.token(auth.Caller{UserID: "user_1"}), always(), http.StatusBadRequest},
		{"no token", "", always(), http.StatusUnauthorized},
		{"a bad token", "e.y.j", always(), http.StatusUnauthorized},
		{"not an admin", s.token(member), always(), http.StatusForbidden},
	} {
		for _, path := range figurePaths {
			response, err := s.get(path, row.token, withGrouping(path, row.query), nil)
			p.expect(row.why, path, row.status, response, err)
		}
	}
}

// noRequests provokes the answers that are sent before, or without, looking at the path.
func (p *provoked) noRequests(s *server) {
	p.Helper()
	const head = " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"
	for _, row := range []struct {
		why, text string
		status    int
	}{
		{"garbage", "hello\r\n\r\n", http.StatusBadRequest},
		{"a path that is nobody's", "GET /nothing" + head + "\r\n", http.StatusNotFound},
		{"another method", "POST " + statsPath + head + "Content-Length: 0\r\n\r\n", http.StatusMethodNotAllowed},
		{"a method that nobody knows", "BREW " + statsPath + head + "\r\n", http.StatusMethodNotAllowed},
		{"a request that never ends", "GET /livez" + strings.TrimSuffix(head, "\r\n"), http.StatusRequestTimeout},
		{"a large body", "GET /livez" + head + "Content-Length: 1000000\r\n\r\n" + strings.Repeat("x", 1_000_000), http.StatusRequestEntityTooLarge},
		{"a long URL", "GET /livez?" + strings.Repeat("x", 310<<10) + head + "\r\n", http.StatusRequestURITooLong},
		{"an expectation", "GET /livez" + head + "Expect: miracles\r\n\r\n", http.StatusExpectationFailed},
		{"an unknown coding", "GET /livez" + head + "Transfer-Encoding: gzip, chunked\r\n\r\n", http.StatusNotImplemented},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", http.StatusHTTPVersionNotSupported},
		{"a large head", "GET /livez" + head + "X: " + strings.Repeat("x", 1<<20) + "\r\n\r\n", http.StatusRequestHeaderFieldsTooLarge},
	} {
		response, err := s.wire(row.text)
		p.expect(row.why, openapitest.EveryPath, row.status, response, err)
	}
}

// limits provokes the answers beyond limits, from a server that has narrow ones.
func (p *provoked) limits(i *installation) {
	p.Helper()
	s := i.serveWith("--user-rate=0.5", "--clients=1")
	first, err := s.get(statsPath, s.token(adminOfA), always(), nil)
	p.expect("the request that the user may send", statsPath, http.StatusOK, first, err)
	for _, path := range figurePaths {
		response, err := s.get(path, s.token(adminOfA), withGrouping(path, always()), nil)
		p.expect("one more", path, http.StatusTooManyRequests, response, err)
	}
	response, err := s.wire("GET /livez HTTP/1.1\r\nHost: test\r\n\r\n") // the client keeps its connection
	p.expect("one connection too many", openapitest.EveryPath, http.StatusServiceUnavailable, response, err)
}

// outages provokes failures of ClickHouse: a table that is gone, and an engine that hangs. Nothing can be asked
// afterwards.
func (p *provoked) outages(i *installation) {
	p.Helper()
	// The log of changes is not read again: who waits for it is not refused.
	s := i.serveWith("--query-time=4s", "--concurrency=1", "--queue=0", "--user-rate=0", "--cache-age=1h")
	e := s.engine()
	conn, err := clickhouse.Open(p.Context(), e.URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		p.Fatal(err)
	}
	rename := func(from, to string) {
		if err := conn.Exec(p.Context(), "RENAME TABLE "+from+" TO "+to); err != nil {
			p.Fatal(err)
		}
	}
	rename("messages", "messages_gone")
	for _, path := range figurePaths {
		response, err := s.get(path, s.token(adminOfA), withGrouping(path, shortWindow(0)), nil)
		p.expect("a table has gone", path, http.StatusInternalServerError, response, err)
	}
	rename("messages_gone", "messages")
	_ = conn.Close()

	if err := syscall.Kill(e.PID(), syscall.SIGSTOP); err != nil {
		p.Fatal(err)
	}
	defer func() { _ = syscall.Kill(e.PID(), syscall.SIGCONT) }()
	for _, path := range figurePaths {
		p.oneWaitsOneIsRefused(s, path)
	}
	response, err := s.get("/readyz", "", nil, nil)
	p.expect("the engine hangs", "/readyz", http.StatusServiceUnavailable, response, err)
}

// oneWaitsOneIsRefused sends two questions at once to a service that fetches for one at a time, and gets no figures.
func (p *provoked) oneWaitsOneIsRefused(s *server, path string) {
	p.Helper()
	type result struct {
		response *http.Response
		err      error
	}
	results := make(chan result, 2)
	for n := range 2 {
		go func() {
			response, err := s.get(path, s.token(adminOfA), withGrouping(path, shortWindow(1+n)), nil)
			results <- result{response, err}
		}()
	}
	refused, waited := <-results, <-results
	p.expect("there is too much to do", path, http.StatusServiceUnavailable, refused.response, refused.err)
	p.expect("an answer that takes too long", path, http.StatusRequestTimeout, waited.response, waited.err)
}
