package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// logLine is the log line of a request.
type logLine struct {
	Time                                                   time.Time
	Level, Msg, Client, Method, Path, Filter, Cache, Error string
	Org                                                    string  `json:"org_id"`
	User                                                   string  `json:"user_id"`
	RequestID                                              string  `json:"request_id"`
	Status                                                 int     `json:"status"`
	RowsRead                                               uint64  `json:"rows_read"`
	Duration                                               float64 `json:"duration_seconds"`
}

// requestLines returns the lines about requests of a JSON log, in which every line must be JSON.
func requestLines(t *testing.T, log string) (lines []logLine) {
	t.Helper()
	for text := range strings.Lines(log) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("a line of the log is not JSON: %v: %s", err, text)
		}
		if line.Msg == "request" {
			lines = append(lines, line)
		}
	}
	return lines
}

// Requests of all kinds, including failing ones, are logged in one line each, which says who asked and what it cost. No
// line contains a token or anything of what was asked.
func TestLogHasALineForEachRequest(t *testing.T) {
	t.Parallel()
	i := install(t)
	c := readContract(t)
	c.checkLoad(t, i.runWith(joined(c.lines(t)), "load", "-"), true)
	i.env = []string{"ORGSTATS_LOG_FORMAT=auto"} // a pipe is no terminal
	s := i.serve()
	secret := func(q url.Values) url.Values {
		q.Set("metadataKey", "secretKey")
		q.Set("metadataValue", "secretValue")
		return q
	}
	token := s.token(adminOfAcme)
	s.ask(token, always())
	s.ask(token, secret(always()))
	s.ask(token, secret(url.Values{"from": {"secretTime"}}))
	s.ask(token[:len(token)-4]+"AAAA", secret(always()))
	s.ask("secretToken", always())
	var lines []logLine
	if !enginetest.Eventually(func() bool { lines = requestLines(t, s.stderr.String()); return len(lines) == 5 }) {
		t.Fatalf("there are %d lines of requests, want 5", len(lines))
	}
	for n, want := range []logLine{
		{Status: 200, Filter: "none", Cache: "miss", Org: "org_acme", User: "user_001"},
		{Status: 200, Filter: "metadata", Cache: "miss", Org: "org_acme", User: "user_001"},
		{Status: 400, Org: "org_acme", User: "user_001"},
		{Status: 401},
		{Status: 401},
	} {
		got := lines[n]
		if got.Status != want.Status || got.Filter != want.Filter || got.Cache != want.Cache || got.Org != want.Org || got.User != want.User {
			t.Errorf("line %d is %+v, want %+v", n, got, want)
		}
		if got.Client != "127.0.0.1" || got.Method != http.MethodGet || got.Path != "/api/dashboard/getStats" || len(got.RequestID) != 16 ||
			got.Duration <= 0 || got.Time.IsZero() || (got.RowsRead > 0) != (want.Filter != "") {
			t.Errorf("line %d is %+v", n, got)
		}
	}
	expectNothingOf(t, s.stderr.String(), token, "secret")
}

// expectNothingOf fails the test if a log contains a part of the token, or a word.
func expectNothingOf(t *testing.T, log, token, word string) {
	t.Helper()
	for part := range strings.SplitSeq(token, ".") {
		if strings.Contains(log, part[:min(len(part), 40)]) {
			t.Errorf("the log holds a part of a token:\n%s", log)
		}
	}
	if strings.Contains(log, word) {
		t.Errorf("the log holds %q:\n%s", word, log)
	}
}

// ClickHouse quotes the statement in some of its errors, and thereby what was asked.
func TestErrorsOfClickHouseTellNothingOfTheQuestion(t *testing.T) {
	t.Parallel()
	i := install(t)
	c := readContract(t)
	c.checkLoad(t, i.runWith(joined(c.lines(t)), "load", "-"), true)
	s := i.serveJSON()
	conn := i.connection()
	if err := conn.Exec(t.Context(), "ALTER TABLE members DROP COLUMN metadata_pair_values"); err != nil {
		t.Fatal(err)
	}
	q := always()
	q.Set("metadataKey", "secretKey")
	q.Set("metadataValue", "secretValue")
	token := s.token(adminOfAcme)
	if got := s.ask(token, q); got.status != 500 || strings.Contains(got.body, "secret") {
		t.Errorf("status %d: %s", got.status, got.body)
	}
	if !enginetest.Eventually(func() bool { return len(requestLines(t, s.stderr.String())) == 1 }) {
		t.Fatal("the request is not logged")
	}
	line := requestLines(t, s.stderr.String())[0]
	if line.Level != "ERROR" || !strings.Contains(line.Error, "metadata_pair_values") {
		t.Errorf("the cause is not told: %+v", line)
	}
	expectNothingOf(t, s.stderr.String(), token, "secret")
}
