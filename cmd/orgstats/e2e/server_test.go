package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

// server is `orgstats serve --dev-auth` of an installation.
type server struct {
	*process
	address string
	key     *auth.DevKey
	client  *http.Client
	tokens  sync.Map // by caller
}

// unlimited turns off the limits that would refuse a test's own requests, on a busy machine, too.
var unlimited = []string{"--user-rate=0", "--organization-rate=0", "--queue=10000", "--queue-time=5m", "--query-time=5m"}

// serve starts a server on a free port and returns when it listens. It reads the log of changes for every question.
func (i *installation) serve() *server { return i.serveWith(unlimited...) }

func (i *installation) serveWith(flags ...string) *server {
	i.Helper()
	return i.serving(i.start(append([]string{"serve", "--dev-auth", "--cache-age=0s", "--listen", "127.0.0.1:0"}, flags...)...))
}

// serveJSON starts a server that logs JSON.
func (i *installation) serveJSON(flags ...string) *server {
	i.Helper()
	i.env = append(i.env, "ORGSTATS_LOG_FORMAT=json")
	return i.serveWith(flags...)
}

// serving waits until a server listens.
func (i *installation) serving(p *process) *server {
	i.Helper()
	s := &server{process: p}
	s.address = s.awaitText(&s.stderr, `"?msg"?[=:]"?listening"?[ ,]"?address"?[=:]"?([0-9.:]+)`)
	s.client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}, Timeout: patience}
	i.Cleanup(s.client.CloseIdleConnections)
	var err error
	if s.key, err = auth.OpenDevKey(i.data()); err != nil {
		i.Fatal(err)
	}
	return s
}

// token returns a token for the caller, which it signs once.
func (s *server) token(caller auth.Caller) string {
	s.Helper()
	if token, ok := s.tokens.Load(caller); ok {
		return token.(string)
	}
	token, err := s.key.Sign(caller, time.Hour)
	if err != nil {
		s.Fatal(err)
	}
	s.tokens.Store(caller, token)
	return token
}

// answer is the answer to a request.
type answer struct {
	status int
	header http.Header
	body   string
}

// url returns the URL of a question.
func (s *server) url(query url.Values) string {
	return "http://" + s.address + "/api/dashboard/getStats?" + query.Encode()
}

// ask sends a question to getStats with a token.
func (s *server) ask(token string, query url.Values) answer {
	s.Helper()
	got, err := s.try(token, query)
	if err != nil {
		s.Fatal(err)
	}
	return got
}

// askAbout sends a question to its endpoint.
func (s *server) askAbout(a asked) answer {
	s.Helper()
	got, err := s.tryAbout(a)
	if err != nil {
		s.Fatal(err)
	}
	return got
}

// try sends a question as ask does, to a service that may be gone.
func (s *server) try(token string, query url.Values) (answer, error) {
	return s.tryPath(statsPath, token, query)
}

func (s *server) tryAbout(a asked) (answer, error) {
	return s.tryPath(a.path, s.token(a.caller), a.query)
}

func (s *server) tryPath(path, token string, query url.Values) (answer, error) {
	response, err := s.get(path, token, query, nil)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(body)}, err
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// figures asks a question that must be answered with figures.
func (s *server) figures(caller auth.Caller, query url.Values) stats.Figures {
	s.Helper()
	got := s.ask(s.token(caller), query)
	if got.status != http.StatusOK {
		s.Fatalf("%v asks %v: status %d, %s", caller, query, got.status, got.body)
	}
	return decode[stats.Figures](s.T, got.body)
}

// decode decodes JSON, which must not have unknown fields.
func decode[T any](t testing.TB, text string) (value T) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return value
}

// always returns a window that contains every record.
func always() url.Values {
	return url.Values{"from": {"1900-01-01T00:00:00.000Z"}, "to": {"2299-12-31T23:59:59.999Z"}, "allInOrg": {"true"}}
}
