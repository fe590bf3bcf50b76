package service

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/limit"
	"github.com/orgstats/orgstats/service/stats"
)

func TestRatesAreAnswered429(t *testing.T) {
	service := start(t, Config{Rates: limit.NewRates(limit.RateOptions{User: 0.001, Organization: 0.001})})
	other := auth.Caller{UserID: "user_3", OrgID: "org_2"}
	for _, row := range []struct {
		why    string
		caller auth.Caller
		status int
		says   string
	}{
		{"the first", admin, 200, ""},
		{"the user's second", admin, 429, "This user is rate-limited."},
		{"another of the same organization", member, 429, "This organization is rate-limited."},
		{"another organization", other, 200, ""},
	} {
		got := service.ask(t, row.caller, day)
		if got.status != row.status || !strings.HasPrefix(got.Error, row.says) {
			t.Errorf("%s: got %d %s, want %d", row.why, got.status, got.body, row.status)
		}
		if seconds := got.header.Get("Retry-After"); (row.status == 429) != (seconds == "1000") {
			t.Errorf("%s: Retry-After is %q", row.why, seconds)
		}
	}
	if got := service.do(t, http.MethodGet, statsPath, bearer("forged")); got.status != 401 {
		t.Errorf("a bad token got %d, want 401: it counts for nobody", got.status)
	}
}

// Questions pass a gate of one place and one in the queue.
func TestBusyIsAnswered503(t *testing.T) {
	gate := limit.NewGate(limit.GateOptions{UnderWay: 1, Waiting: 1, Patience: enginetest.Patience})
	slow := newGate()
	service := start(t, Config{Answerer: answererFunc(func(ctx context.Context, r stats.Request) (stats.Answer, error) {
		leave, err := gate.Enter(ctx, r.OrgID)
		if err != nil {
			return stats.Answer{}, err
		}
		defer leave()
		return slow.Answer(ctx, r)
	})})
	first, second := service.dial(t), service.dial(t)
	send(t, first, rawRequest(admin, day))
	<-slow.entered
	send(t, second, rawRequest(admin, day))
	enginetest.Await(t, "the second waits", func() bool { _, waiting := gate.Load(); return waiting == 1 })
	got := service.ask(t, admin, day)
	if got.status != 503 || got.Error != responses[codeOverloaded].sentence || got.header.Get("Retry-After") != "1" {
		t.Errorf("got %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
	}
	if got := service.do(t, http.MethodGet, "/livez", nil); got.status != 200 {
		t.Errorf("a probe got %d", got.status)
	}
	close(slow.opened)
	for _, c := range []io.Reader{first, second} {
		if got := readNext(t, bufio.NewReader(c)); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
	if log := service.log.String(); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("being busy is logged as an error: %s", log)
	}
}

func TestURLThatIsTooLong(t *testing.T) {
	service := start(t, Config{})
	got := service.do(t, http.MethodGet, statsPath+"?"+day+"&metadataValue="+strings.Repeat("x", maxURL), bearer(tokenOf(admin)))
	if got.status != http.StatusRequestURITooLong || got.Error == "" {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestTokenOfAMegabyte(t *testing.T) {
	service := start(t, Config{})
	connection := service.dial(t)
	send(t, connection, fmt.Sprintf("GET %s?%s HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n\r\n", statsPath, day, strings.Repeat("x", 1<<20)))
	if got := readAnswer(t, connection); got.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	const most = 3
	service := start(t, Config{MaxConnections: most})
	for range most {
		c := service.dial(t)
		send(t, c, "GET /livez HTTP/1.1\r\nHost: test\r\n\r\n")
		readNext(t, bufio.NewReader(c))
	}
	refused := service.dial(t)
	send(t, refused, rawRequest(admin, day))
	got := readAnswer(t, refused)
	if got.status != 503 || got.Error != responses[codeOverloaded].sentence || got.header.Get("Retry-After") != "1" || got.header.Get("Connection") != "close" {
		t.Errorf("got %d %s %v", got.status, got.body, got.header)
	}
	if open, n := service.Connections(); open != most || n != 1 {
		t.Errorf("%d are open and %d were refused, want %d and 1", open, n, most)
	}
}

func TestAFreedConnectionIsAnothersAgain(t *testing.T) {
	service := start(t, Config{MaxConnections: 1})
	first := service.dial(t)
	send(t, first, rawRequest(admin, day))
	readNext(t, bufio.NewReader(first))
	_ = first.Close()
	enginetest.Await(t, "the connection is closed", func() bool { open, _ := service.Connections(); return open == 0 })
	second := service.dial(t)
	send(t, second, rawRequest(admin, day))
	if got := readAnswer(t, second); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}

// Who connects and says nothing, or too little, is let go.
func TestSlowClientsAreLetGo(t *testing.T) {
	service := start(t, Config{ReadTimeout: 50 * time.Millisecond})
	text := rawRequest(admin, day)
	for why, sent := range map[string]string{"nothing": "", "half a request": text[:40], "all but the last byte": text[:len(text)-1]} {
		c := service.dial(t)
		send(t, c, sent)
		answer, err := io.ReadAll(c) // until it is closed
		if err != nil {
			t.Errorf("%s: %v", why, err)
		}
		if sent != "" && !strings.HasPrefix(string(answer), "HTTP/1.1 408 ") {
			t.Errorf("%s: answered with %.50q", why, answer)
		}
	}
	drip := service.dial(t)
	for sent := range text { // a byte at a time does not make the time longer
		if _, err := io.WriteString(drip, text[sent:sent+1]); err != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if answer, _ := bufio.NewReader(drip).Peek(len("HTTP/1.1 408 ")); string(answer) != "HTTP/1.1 408 " {
		t.Errorf("a byte at a time: answered with %q", answer)
	}
	service.expectNothingLeft(t, "slow clients")
}
