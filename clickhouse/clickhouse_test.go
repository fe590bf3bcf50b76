package clickhouse_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

func TestURLs(t *testing.T) {
	for _, row := range []struct {
		why, url string
		valid    bool
	}{
		{"the usual form", "clickhouse://user:pa55word@host:9000/database", true},
		{"settings of the driver may follow", "clickhouse://user:pa55word@host:9000/database?secure=true&dial_timeout=2s", true},
		{"several servers of a cluster", "clickhouse://user:pa55word@one:9000,two:9000/database", false},
		{"the same server twice", "clickhouse://user:pa55word@one:9000,one:9000/database", false},
		{"another server to fall back on", "clickhouse://user:pa55word@one:9000/database?alt_hosts=two:9000", false},
		{"another server to begin with", "clickhouse://user:pa55word@one:9000/database?hosts=two:9000", false},
		{"several addresses", "clickhouse://user:pa55word@[::1]:9000,[::2]:9000/database", false},
		{"several servers over HTTP", "http://user:pa55word@one:8123,two:8123/database", false},
		{"no database", "clickhouse://user:pa55word@host:9000", false},
		{"no address", "pa55word", false},
		{"nonsense after the per cent sign", "clickhouse://user:pa55word%zz@host:9000/database", false},
		{"a setting that is not a duration", "clickhouse://user:pa55word@host:9000/database?dial_timeout=pa55word", false},
	} {
		err := clickhouse.Validate(row.url)
		if (err == nil) != row.valid {
			t.Errorf("%s: %v", row.why, err)
		}
		if err != nil && strings.Contains(err.Error(), "pa55word") {
			t.Errorf("%s: the error shows the password: %v", row.why, err)
		}
	}
}

func TestStatementsRunUnderTheirSettings(t *testing.T) {
	conn := open(t, enginetest.Database(t))
	statement := clickhouse.Statement{
		Comment:  "orgstats test",
		Limits:   clickhouse.Limits{Time: time.Hour, Memory: 123456789},
		Settings: map[string]any{"max_threads": 3},
	}
	ctx, cancel := clickhouse.WithStatement(t.Context(), statement)
	defer cancel()
	for query, want := range map[string]string{
		"SELECT getSetting('log_comment')":                "orgstats test",
		"SELECT toString(getSetting('max_memory_usage'))": "123456789",
		"SELECT toString(getSetting('max_threads'))":      "3",
		"SELECT toString(getSetting('async_insert'))":     "false",
	} {
		if got := one[string](t, ctx, conn, query); got != want {
			t.Errorf("%s gave %q, want %q", query, got, want)
		}
	}
	// The server's own limit must not end a statement before the deadline does, and must end it soon after. The time
	// that earlier statements took, on however slow a machine, is already spent.
	if limit := one[float64](t, ctx, conn, "SELECT toFloat64(getSetting('max_execution_time'))"); limit < 3000 || limit > 3610 {
		t.Errorf("the server ends the statement after %v s, where the deadline is an hour", limit)
	}
	// Only one statement at a time may have an id, and the server may not be done yet with one whose answer has
	// arrived.
	statement.QueryID = "a-query"
	identified, cancel := clickhouse.WithStatement(t.Context(), statement)
	defer cancel()
	if got := one[string](t, identified, conn, "SELECT queryID()"); got != "a-query" {
		t.Errorf("the statement's id is %q, want a-query", got)
	}
}

func TestStatementStopsWithItsCaller(t *testing.T) {
	e := enginetest.Start(t)
	conn := open(t, e.URL())
	ctx, hangUp := context.WithCancel(t.Context())
	statement, cancel := clickhouse.WithStatement(ctx, clickhouse.Statement{QueryID: "endless"})
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- conn.Exec(statement, "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)") }()
	awaitCount(t, conn, 1)
	hangUp()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the caller got %v", err)
	}
	awaitCount(t, conn, 0)
}

// awaitCount waits until the wanted number of endless statements run.
func awaitCount(t *testing.T, conn clickhouse.Conn, want uint64) {
	t.Helper()
	enginetest.Await(t, fmt.Sprintf("%d such statements run", want), func() bool {
		return one[uint64](t, t.Context(), conn, "SELECT count() FROM system.processes WHERE query_id = 'endless'") == want
	})
}

func TestDatabaseSQL(t *testing.T) {
	url := enginetest.Database(t)
	db, err := clickhouse.OpenDB(url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var database string
	if err := db.QueryRowContext(t.Context(), "SELECT currentDatabase()").Scan(&database); err != nil || !strings.HasSuffix(url, "/"+database) {
		t.Errorf("the database is %q, %v", database, err)
	}
	if _, err := clickhouse.OpenDB("nonsense"); err == nil {
		t.Error("a URL that is none gives no error")
	}
}
