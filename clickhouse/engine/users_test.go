package engine_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// ClickHouse's codes for refused statements.
const (
	readonly        = 164
	overConstraint  = 452
	notEnoughRights = 497
	authentication  = 516
	tooManySessions = 700
)

func TestAnalystMayReadWithinLimits(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	owner := open(t, e.URL())
	execute(t, owner, "CREATE TABLE figures (n UInt64) ENGINE = MergeTree ORDER BY n")
	execute(t, owner, "INSERT INTO figures VALUES (7)")
	execute(t, owner, "CREATE DATABASE other")
	execute(t, owner, "CREATE TABLE other.hidden (n UInt64) ENGINE = MergeTree ORDER BY n")
	analyst := open(t, e.Analyst().URL())

	for _, row := range []struct {
		why, statement string
		code           int32 // 0: allowed
	}{
		{"reading the tables is what the user is for", "SELECT n FROM figures", 0},
		{"clients list tables", "SELECT name FROM system.tables", 0},
		{"tools read the information schema", "SELECT table_name FROM information_schema.tables", 0},
		{"clients send settings", "SELECT n FROM figures SETTINGS max_threads = 1, max_block_size = 100", 0},
		{"a lower limit is welcome", "SELECT n FROM figures SETTINGS max_execution_time = 5", 0},
		{"insert is a write", "INSERT INTO figures SELECT 8", notEnoughRights},
		{"so is create", "CREATE TABLE mine (n UInt64) ENGINE = Memory", notEnoughRights},
		{"and drop", "DROP TABLE figures", notEnoughRights},
		{"and alter", "ALTER TABLE figures DELETE WHERE 1", notEnoughRights},
		{"the time limit cannot be raised", "SELECT n FROM figures SETTINGS max_execution_time = 61", overConstraint},
		{"nor switched off", "SELECT n FROM figures SETTINGS max_execution_time = 0", overConstraint},
		{"nor the memory limit", "SELECT n FROM figures SETTINGS max_memory_usage = 5000000000", overConstraint},
		{"nor the result's", "SELECT n FROM figures SETTINGS max_result_rows = 0", overConstraint},
		{"readonly itself stays", "SELECT n FROM figures SETTINGS readonly = 0", readonly},
		{"other databases are none of theirs", "SELECT n FROM other.hidden", notEnoughRights},
		{"files of the machine are not data", "SELECT * FROM file('/etc/hostname', 'LineAsString')", notEnoughRights},
		{"no requests to elsewhere", "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')", notEnoughRights},
		{"the engine is not theirs to stop", "SYSTEM STOP LISTEN TCP", notEnoughRights},
	} {
		if code := exceptionCode(t, analyst.Exec(t.Context(), row.statement)); code != row.code {
			t.Errorf("%s: %s gave code %d, want %d", row.why, row.statement, code, row.code)
		}
	}
	if n := number(t, owner, "SELECT count() FROM figures"); n != 1 {
		t.Errorf("%d rows are in the table, want 1", n)
	}
}

func TestNobodyGetsInWithoutAPassword(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	for _, row := range []struct {
		why, user, password string
		code                int32
	}{
		{"the library's own user takes no second session", "default", "", tooManySessions},
		{"nor does it take any password", "default", "guess", tooManySessions},
		{"the owner has a password", "orgstats", "", authentication},
		{"which is not the user's name", "orgstats", "orgstats", authentication},
		{"and not the analyst's", "orgstats", e.Analyst().Password, authentication},
		{"the analyst has one too", "analyst", "", authentication},
		{"there are no other users", "admin", "", authentication},
	} {
		c := e.Owner()
		c.User, c.Password = row.user, row.password
		if code := exceptionCode(t, open(t, c.URL()).Ping(t.Context())); code != row.code {
			t.Errorf("%s: over TCP %v gave code %d, want %d", row.why, c, code, row.code)
		}
		if code := httpCode(t, c, "SELECT 1"); code != row.code {
			t.Errorf("%s: over HTTP %v gave code %d, want %d", row.why, c, code, row.code)
		}
	}
	if code := httpCode(t, e.Owner(), "SELECT 1"); code != 0 {
		t.Errorf("the owner itself was refused with code %d", code)
	}
	if err := e.Err(); err != nil {
		t.Errorf("a refused connection ended the engine: %v", err)
	}
}

func exceptionCode(t *testing.T, err error) int32 {
	t.Helper()
	if err == nil {
		return 0
	}
	exception, ok := errors.AsType[*clickhouse.Exception](err)
	if !ok {
		t.Fatal(err)
	}
	return exception.Code
}

func httpCode(t *testing.T, c engine.Connection, query string) int32 {
	t.Helper()
	where := url.URL{Scheme: "http", Host: c.Host + ":" + strconv.Itoa(c.HTTPPort), Path: "/", RawQuery: url.Values{"query": {query}}.Encode()}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, where.String(), strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	request.SetBasicAuth(c.User, c.Password)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	code, err := strconv.Atoi(answer.Header.Get("X-ClickHouse-Exception-Code"))
	if err != nil && answer.StatusCode != http.StatusOK {
		t.Fatalf("status %s without a code", answer.Status)
	}
	return int32(code)
}
