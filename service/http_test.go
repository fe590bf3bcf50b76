package service

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/stats"
)

// readAnswer reads one answer from a connection that is then not used any more.
func readAnswer(t testing.TB, c net.Conn) answer {
	t.Helper()
	return readNext(t, bufio.NewReader(c))
}

// readNext reads the next answer of a connection.
func readNext(t testing.TB, r *bufio.Reader) answer {
	t.Helper()
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, body: string(body)}
	if response.Close {
		a.header.Set("Connection", "close") // ReadResponse takes it out
	}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Errorf("the answer is not JSON: %.200q", body)
	}
	return a
}

func TestRoutes(t *testing.T) {
	service := start(t, Config{})
	for _, row := range []struct {
		method, target string
		status         int
		allow          string
	}{
		{"GET", "/livez", 200, ""},
		{"GET", "/readyz", 200, ""},
		{"HEAD", "/livez", 200, ""},
		{"GET", "/nothing", 404, ""},
		{"GET", "/assets/", 404, ""},
		{"GET", "/assets/nothing.js", 404, ""},
		{"POST", "/", 405, "GET, HEAD"},
		{"GET", "/api/dashboard/getstats", 404, ""},
		{"GET", "/api/dashboard/getStats/", 404, ""},
		{"GET", "/api/dashboard//getStats", 404, ""},
		{"GET", "/api/dashboard/%67etStats", 404, ""},
		{"GET", "/" + strings.Repeat("x", 10_000), 404, ""},
		{"POST", statsPath, 405, "GET, HEAD"},
		{"OPTIONS", statsPath, 405, "GET, HEAD"},
		{"DELETE", "/livez", 405, "GET, HEAD"},
		{"POST", "/nothing", 404, ""},
		{"BREW", statsPath, 405, "GET, HEAD"},
		{"GET", statsPath, 401, ""},
	} {
		got := service.do(t, row.method, row.target, nil)
		if got.status != row.status || got.header.Get("Allow") != row.allow {
			t.Errorf("%s %.60s: got %d, Allow %q, want %d, %q", row.method, row.target, got.status, got.header.Get("Allow"),
				row.status, row.allow)
		}
		if row.status >= 400 && got.Error == "" {
			t.Errorf("%s %.60s: the failure has no sentence: %s", row.method, row.target, got.body)
		}
	}
}

func TestHeadIsGetWithoutBody(t *testing.T) {
	service := start(t, Config{})
	get := service.ask(t, admin, day)
	head := service.do(t, http.MethodHead, statsPath+"?"+day, bearer(tokenOf(admin)))
	if head.status != 200 || head.body != "" || head.header.Get("Content-Length") != fmt.Sprint(len(get.body)) {
		t.Errorf("got %d %q, Content-Length %s, want that of %q", head.status, head.body, head.header.Get("Content-Length"), get.body)
	}
}

func TestReadyNamesTheParts(t *testing.T) {
	problems := []Problem{{"clickhouse", errors.New("dial: secret")}, {"keys", errors.New("none")}}
	service := start(t, Config{Ready: func(context.Context) []Problem { return problems }})
	got := service.do(t, http.MethodGet, "/readyz", nil)
	want := `{"error":"Not ready: clickhouse, keys","details":[{"path":"clickhouse","message":"clickhouse is not ready"},` +
		`{"path":"keys","message":"keys is not ready"}]}`
	if got.status != 503 || got.body != want || got.header.Get("Retry-After") == "" {
		t.Errorf("got %d %s, want 503 %s", got.status, got.body, want)
	}
	enginetest.Await(t, "the causes are logged", func() bool { return strings.Contains(service.log.String(), "dial: secret") })
}

func TestWhatIsNoRequest(t *testing.T) {
	service := start(t, Config{})
	for _, row := range []struct {
		why, text string
		status    int
	}{
		{"garbage", "hello\r\n\r\n", 400},
		{"a head beyond the limit", "GET /?" + strings.Repeat("x", 2*maxRequestHead) + " HTTP/1.1\r\nHost: test\r\n\r\n", 431},
		{"a header beyond the limit", "GET / HTTP/1.1\r\nHost: test\r\nX: " + strings.Repeat("x", 40*maxRequestHead) + "\r\n\r\n", 431},
		{"a body beyond the limit", "POST /livez HTTP/1.1\r\nHost: test\r\nContent-Length: 1000000\r\n\r\n" +
			strings.Repeat("x", 1_000_000), 413},
		{"a body is ignored", "GET /livez HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello", 200},
		{"an absolute URL is one as well", "GET http://test/livez?a HTTP/1.1\r\nHost: test\r\n\r\n", 200},
	} {
		t.Run(row.why, func(t *testing.T) {
			connection := service.dial(t)
			send(t, connection, row.text) // all of it, as clients do that read only then
			got := readAnswer(t, connection)
			if got.status != row.status || row.status >= 400 && got.Error == "" {
				t.Errorf("got %d %s, want %d", got.status, got.body, row.status)
			}
			if got.header.Get("X-Request-Id") == "" {
				t.Error("the answer has no request id")
			}
		})
	}
}

func TestKeepAlive(t *testing.T) {
	service := start(t, Config{})
	connection := service.dial(t)
	reader := bufio.NewReader(connection)
	for i := range 3 {
		send(t, connection, rawRequest(admin, day))
		if got := readNext(t, reader); got.status != 200 || got.header.Get("Connection") == "close" {
			t.Fatalf("request %d: got %d %v", i, got.status, got.header)
		}
	}
}

func TestPipelinedRequestsAreNotLost(t *testing.T) {
	asked := &recorder{}
	service := start(t, Config{Answerer: asked})
	connection := service.dial(t)
	first := strings.Replace(rawRequest(admin, day), "Host:", "X-Request-Id: first\r\nHost:", 1)
	send(t, connection, first+rawRequest(member, day))
	reader := bufio.NewReader(connection)
	got := readNext(t, reader)
	if got.status != 200 || got.header.Get("X-Request-Id") != "first" || got.header.Get("Connection") != "close" {
		t.Fatalf("got %d %v, want the first answer, and a close that says: send the rest again", got.status, got.header)
	}
	if rest, err := io.ReadAll(reader); err != nil || len(rest) > 0 {
		t.Errorf("then came %q, %v, want a clean end", rest, err)
	}
	if q := asked.only(t); q.UserID != admin.UserID {
		t.Errorf("asked %v", q)
	}
}

func TestRequestArrivesByteByByte(t *testing.T) {
	service := start(t, Config{})
	connection := service.dial(t)
	text := rawRequest(admin, day)
	for i := range text {
		send(t, connection, text[i:i+1])
	}
	if got := readAnswer(t, connection); got.status != 200 || got.header.Get("Connection") == "close" {
		t.Errorf("got %d %v, want 200 on a connection that stays open", got.status, got.header)
	}
}

func TestRequestID(t *testing.T) {
	var asked string
	service := start(t, Config{Answerer: answererFunc(func(_ context.Context, r stats.Request) (stats.Answer, error) {
		asked = r.ID
		return stats.Answer{}, nil
	})})
	generated := regexp.MustCompile(`^[0-9a-f]{16}$`)
	for _, row := range []struct {
		why, sent string
		kept      bool
	}{
		{"none", "", false},
		{"a good one", "aZ09._-", true},
		{"the longest", strings.Repeat("a", 64), true},
		{"too long", strings.Repeat("a", 65), false},
		{"a quote", `a"b`, false},
		{"a space", "a b", false},
		{"not ASCII", "ü", false},
	} {
		header := bearer(tokenOf(admin))
		header.Set("X-Request-Id", row.sent)
		got := service.do(t, http.MethodGet, statsPath+"?"+day, header).header.Get("X-Request-Id")
		if row.kept && got != row.sent || !row.kept && !generated.MatchString(got) {
			t.Errorf("%s: sent %q, got %q", row.why, row.sent, got)
		}
		if asked != got {
			t.Errorf("%s: the question has the id %q, the answer %q", row.why, asked, got)
		}
	}
}

func TestLogTellsWhoButNotWhat(t *testing.T) {
	service := start(t, Config{})
	token := tokenOf(admin)
	header := bearer(token)
	header.Set("X-Request-Id", "id-1")
	service.do(t, http.MethodGet, statsPath+"?"+day+"&metadataValue=private", header)
	enginetest.Await(t, "the request is logged", func() bool { return strings.Contains(service.log.String(), "id-1") })
	log := service.log.String()
	if strings.Contains(log, token) || strings.Contains(log, "private") || strings.Contains(log, "2024-01-01") {
		t.Errorf("the log holds the token or the query: %s", log)
	}
	var line struct {
		Level, Method, Path string
		Status              int
		Duration            time.Duration

		OrgID  string `json:"org_id"`
		UserID string `json:"user_id"`
	}
	if err := json.Unmarshal([]byte(log), &line); err != nil {
		t.Fatalf("the log is not one line: %v\n%s", err, log)
	}
	if line.Level != "INFO" || line.Method != "GET" || line.Path != statsPath || line.OrgID != "org_1" || line.UserID != "user_1" ||
		line.Status != 200 || line.Duration <= 0 {
		t.Errorf("the line is %+v", line)
	}
}

func TestPanicIsInternal(t *testing.T) {
	service := start(t, Config{Answerer: answererFunc(func(context.Context, stats.Request) (stats.Answer, error) {
		panic("the cause")
	})})
	for range 2 { // the process and the service go on
		if got := service.ask(t, admin, day); got.status != 500 || got.body != `{"error":"Internal Server Error"}` {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	enginetest.Await(t, "the panic is logged with its stack", func() bool {
		log := service.log.String()
		return strings.Contains(log, "the cause") && strings.Contains(log, "endpoint.go")
	})
}
