package service

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

const statsPath = "/api/dashboard/getStats"

// day is a query that asks for a day, to be extended.
const day = "from=2024-01-01T00:00:00.000Z&to=2024-01-01T23:59:59.999Z"

var (
	admin  = auth.Caller{UserID: "user_1", OrgID: "org_1", Role: "org:admin"}
	member = auth.Caller{UserID: "user_2", OrgID: "org_1", Role: "org:member"}
)

// answererFunc answers as the function does.
type answererFunc func(context.Context, stats.Request) (stats.Answer, error)

func (f answererFunc) Answer(ctx context.Context, r stats.Request) (stats.Answer, error) {
	return f(ctx, r)
}

// recorder answers at once and keeps the questions.
type recorder struct {
	mu        sync.Mutex
	questions []stats.Question
}

func (r *recorder) Answer(_ context.Context, q stats.Request) (stats.Answer, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.questions = append(r.questions, q.Question)
	return answerOf(stats.Figures{ConversationCount: 3, KBExtractOutputTokens: 7}), nil
}

// answerOf returns the answer of a question that is not grouped.
func answerOf(f stats.Figures) stats.Answer {
	return stats.Answer{Total: stats.Row{Window: stats.Period{Figures: f}}}
}

// only returns the one question that was asked since it was last called.
func (r *recorder) only(t *testing.T) stats.Question {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.questions) != 1 {
		t.Fatalf("%d questions were asked, want 1: %v", len(r.questions), r.questions)
	}
	q := r.questions[0]
	r.questions = nil
	return q
}

// plainTokens takes tokens that spell out the caller, as tokenOf writes them.
type plainTokens struct{}

func (plainTokens) Verify(_ context.Context, token string) (caller auth.Caller, err error) {
	text, err := hex.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &caller)
	}
	if err != nil {
		return auth.Caller{}, fmt.Errorf("%w: %w", auth.ErrUnauthorized, err)
	}
	return caller, nil
}

func tokenOf(caller auth.Caller) string {
	text, err := json.Marshal(caller)
	if err != nil {
		panic(err)
	}
	return hex.EncodeToString(text)
}

// authenticatorFunc verifies as the function does.
type authenticatorFunc func(context.Context, string) (auth.Caller, error)

func (f authenticatorFunc) Verify(ctx context.Context, token string) (auth.Caller, error) {
	return f(ctx, token)
}

// logBuffer is a log that can be read while it is written to.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// running is a service on a listener of its own.
type running struct {
	*Service
	address string
	log     *logBuffer
	served  chan error // what Serve returned
}

// start runs a service until the test ends. Config may leave out what the test does not look at.
func start(t testing.TB, config Config) *running {
	t.Helper()
	r := &running{log: &logBuffer{}, served: make(chan error, 1)}
	if config.Answerer == nil {
		config.Answerer = &recorder{}
	}
	if config.Authenticator == nil {
		config.Authenticator = plainTokens{}
	}
	config.Log = slog.New(slog.NewJSONHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.Service, r.address = New(config), listener.Addr().String()
	go func() { r.served <- r.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
		defer cancel()
		if err := r.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return r
}

// answer is what a request came back with.
type answer struct {
	status  int
	header  http.Header
	body    string
	Error   string    `json:"error"`
	Details []mistake `json:"details"`
}

// do sends a request and reads its JSON, if it is not CSV.
func (r *running) do(t testing.TB, method, target string, header http.Header) answer {
	t.Helper()
	request, err := http.NewRequest(method, "http://"+r.address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque = target
	request.Header = header
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	if method != http.MethodHead && response.Header.Get("Content-Type") != csvType {
		if err := json.Unmarshal(body, &a); err != nil {
			t.Errorf("%s %.100s: the answer is not JSON: %.200q", method, target, body)
		}
	}
	return a
}

// ask sends a caller's question; the query is sent as it is.
func (r *running) ask(t testing.TB, caller auth.Caller, query string) answer {
	t.Helper()
	return r.do(t, http.MethodGet, statsPath+"?"+query, bearer(tokenOf(caller)))
}

func bearer(token string) http.Header {
	return http.Header{"Authorization": {"Bearer " + token}}
}

// dial opens a connection for what net/http would not send.
func (r *running) dial(t testing.TB) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(enginetest.Patience)); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// rawRequest returns the text of a good request.
func rawRequest(caller auth.Caller, query string) string {
	return "GET " + statsPath + "?" + query + " HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer " + tokenOf(caller) + "\r\n\r\n"
}

// send writes text to a connection.
func send(t testing.TB, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// encodeQuery returns a query of names and values, encoded.
func encodeQuery(pairs ...string) string {
	var encoded []string
	for i := 0; i < len(pairs); i += 2 {
		encoded = append(encoded, url.QueryEscape(pairs[i])+"="+url.QueryEscape(pairs[i+1]))
	}
	return strings.Join(encoded, "&")
}
