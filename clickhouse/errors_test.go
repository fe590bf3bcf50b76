package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	driver "github.com/ClickHouse/clickhouse-go/v2"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// kinds are the kinds of errors that the program distinguishes.
type kinds struct{ timeout, alreadyRunning, unavailable bool }

func kindsOf(err error) kinds {
	return kinds{clickhouse.IsTimeout(err), clickhouse.IsAlreadyRunning(err), clickhouse.IsUnavailable(err)}
}

func TestFailuresOfStatements(t *testing.T) {
	e := enginetest.Start(t)
	conn := open(t, e.URL())
	defer take(t, e.URL(), "test", "a statement under way").Release()

	for _, row := range []struct {
		why       string
		sql       string
		statement clickhouse.Statement
		want      kinds
	}{
		{
			"the time of the statement's limits is over",
			"SELECT sum(sipHash64(number)) FROM numbers(1000000000000)",
			clickhouse.Statement{Limits: clickhouse.Limits{Time: 300 * time.Millisecond}},
			kinds{timeout: true},
		},
		{
			"a time limit of the server's own is over",
			"SELECT sum(sipHash64(number)) FROM numbers(1000000000000)",
			clickhouse.Statement{Settings: map[string]any{"max_execution_time": 1}},
			kinds{timeout: true},
		},
		{
			"the memory of the statement's limits is used up",
			"SELECT length(groupArray(number)) FROM numbers(100000000)",
			clickhouse.Statement{Limits: clickhouse.Limits{Memory: 32 << 20}},
			kinds{unavailable: true},
		},
		{
			"the server runs as many statements as it may",
			"SELECT 1",
			clickhouse.Statement{Settings: map[string]any{"max_concurrent_queries_for_user": 1}},
			kinds{unavailable: true},
		},
		{
			"a statement with the same id is under way",
			"SELECT 1",
			clickhouse.Statement{QueryID: "orgstats-test-" + e.Owner().Database},
			kinds{alreadyRunning: true},
		},
		{"a mistake in the statement does not go away", "SELECT nonsense", clickhouse.Statement{}, kinds{}},
		{"nor does a missing table", "SELECT * FROM nowhere", clickhouse.Statement{}, kinds{}},
		{"nor a parameter that was not bound", "SELECT {missing:String}", clickhouse.Statement{}, kinds{}},
	} {
		ctx, cancel := clickhouse.WithStatement(t.Context(), row.statement)
		err := conn.Exec(ctx, row.sql)
		cancel()
		if err == nil {
			t.Errorf("%s: there is no error", row.why)
		} else if got := kindsOf(fmt.Errorf("ask: %w", err)); got != row.want {
			t.Errorf("%s: %v is taken for %+v, want %+v", row.why, err, got, row.want)
		}
	}
}

func TestFailuresOfConnections(t *testing.T) {
	e := enginetest.Start(t)
	conn := open(t, e.URL())
	stranger := e.Owner()
	stranger.Password = "wrong"
	if _, err := openOnce(t, stranger.URL()); err == nil || kindsOf(err) != (kinds{}) {
		t.Errorf("a wrong password is taken for %+v: %v", kindsOf(err), err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := conn.Exec(gone, "SELECT 1"); err == nil || kindsOf(err) != (kinds{}) {
		t.Errorf("a caller who has gone is taken for %+v: %v", kindsOf(err), err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := conn.Exec(t.Context(), "SELECT 1"); err == nil || kindsOf(err) != (kinds{unavailable: true}) {
		t.Errorf("a server that has gone is taken for %+v: %v", kindsOf(err), err)
	}
	if _, err := openOnce(t, e.URL()); err == nil || kindsOf(err) != (kinds{unavailable: true}) {
		t.Errorf("a server that is not there is taken for %+v: %v", kindsOf(err), err)
	}
	if kindsOf(nil) != (kinds{}) {
		t.Error("no error is taken for one")
	}
}

func openOnce(t *testing.T, url string) (clickhouse.Conn, error) {
	t.Helper()
	conn, err := clickhouse.Open(t.Context(), url, clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err == nil {
		conn.Close()
	}
	return conn, err
}

func TestRedactedErrors(t *testing.T) {
	exception := &driver.Exception{Code: 47, Name: "E", Message: `in scope path = 'secret' AND value = 'it\'s \\ secret' AND x = 'cut off secret`}
	for _, row := range []struct {
		why  string
		err  error
		want string
	}{
		{"ClickHouse's own", exception, `code: 47, message: in scope path = '…' AND value = '…' AND x = '…'`},
		{"wrapped", fmt.Errorf("ask: %w", exception), `ask: code: 47, message: in scope path = '…' AND value = '…' AND x = '…'`},
		{"others quote nothing of a statement", errors.New("dial 'host'"), "dial 'host'"},
	} {
		if got := clickhouse.Redact(row.err); got != row.want {
			t.Errorf("%s: %s, want %s", row.why, got, row.want)
		}
	}
}
