package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// ClickHouse's codes for exceeded limits.
const (
	tooManyRows       = 158
	timeoutExceeded   = 159
	quotaExceeded     = 201
	tooManyQueries    = 202
	memoryLimit       = 241
	tooManyResultRows = 396
)

func TestAnalystIsStoppedAtTheLimits(t *testing.T) {
	t.Parallel()
	analyst := open(t, enginetest.Start(t).Analyst().URL())
	for _, row := range []struct {
		why, statement string
		code           int32
	}{
		{"a statement that reads too much", "SELECT sum(number) FROM numbers(2000000001)", tooManyRows},
		{"a result that is too long", "SELECT number FROM numbers(10000001) FORMAT Null", tooManyResultRows},
		{"the longest result", "SELECT count() FROM (SELECT number FROM numbers(10000000))", 0},
		{"a statement that takes too long", "SELECT sleepEachRow(0.1) FROM numbers(30) SETTINGS max_block_size = 1, max_execution_time = 1", timeoutExceeded},
		{"which can't be had in part", "SELECT 1 SETTINGS timeout_overflow_mode = 'break'", overConstraint},
		{"nor can what reads too much", "SELECT 1 SETTINGS read_overflow_mode = 'break'", overConstraint},
		{"JDBC clients ask for the first rows so", "SELECT number FROM numbers(1000) SETTINGS max_result_rows = 200, result_overflow_mode = 'break'", 0},
		{"a statement that needs too much memory", "SELECT length(groupArray(number)) FROM numbers(1000000000) SETTINGS max_memory_usage = 20000000", memoryLimit},
		{"no more for all statements together", "SELECT 1 SETTINGS max_memory_usage_for_user = 5000000000", overConstraint},
		{"nor more rows", "SELECT 1 SETTINGS max_rows_to_read = 2000000001", overConstraint},
	} {
		if code := exceptionCode(t, analyst.Exec(t.Context(), row.statement)); code != row.code {
			t.Errorf("%s: %s gave code %d, want %d", row.why, row.statement, code, row.code)
		}
	}
}

// clickhouse-go, and thus Grafana, requests five seconds more than its caller has.
func TestAnalystsClientsMayHaveTimeLimitsOfTheirOwn(t *testing.T) {
	t.Parallel()
	analyst := open(t, enginetest.Start(t).Analyst().URL())
	for _, row := range []struct {
		why  string
		time time.Duration
		code int32
	}{
		{"five seconds below the limit", 54 * time.Second, 0},
		{"the limit itself", time.Minute, overConstraint},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), row.time)
		if code := exceptionCode(t, analyst.Exec(ctx, "SELECT 1")); code != row.code {
			t.Errorf("%s: %s gave code %d, want %d", row.why, row.time, code, row.code)
		}
		cancel()
	}
}

func TestAnalystHasEightStatementsAtOnce(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	owner, analyst := open(t, e.URL()), open(t, e.Analyst().URL())
	const most = 8
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, most)
	for range most {
		go func() {
			ended <- analyst.Exec(ctx, "SELECT sleepEachRow(1) FROM numbers(50) SETTINGS max_block_size = 1 FORMAT Null")
		}()
	}
	const underWay = "SELECT count() FROM system.processes WHERE user = 'analyst'"
	for number(t, owner, underWay) < most {
		if len(ended) > 0 {
			t.Fatal(<-ended)
		}
	}
	if code := exceptionCode(t, analyst.Exec(t.Context(), "SELECT 1")); code != tooManyQueries {
		t.Errorf("one more gave code %d, want %d", code, tooManyQueries)
	}
	if n := number(t, owner, "SELECT count() FROM system.one"); n != 1 {
		t.Errorf("the owner got %d", n)
	}
	cancel()
	for range most {
		<-ended
	}
}

// Several statements are asked at a time, fewer than the analyst may have at once: one after the other, a busy machine
// never asks as many in a minute as the quota allows.
func TestAnalystsQuotaEnds(t *testing.T) {
	t.Parallel()
	e := enginetest.Start(t)
	analyst := open(t, e.Analyst().URL())
	const (
		aMinute = 1200
		minutes = 20 // that may end meanwhile
		atOnce  = 6
	)
	var asked atomic.Int64 // without an error
	var exceeded atomic.Bool
	ask := func() error {
		for !exceeded.Load() && asked.Load() < minutes*aMinute {
			// A SELECT without a table would not count.
			err := analyst.Exec(t.Context(), "SELECT number FROM numbers(1) FORMAT Null")
			exception, ok := errors.AsType[*clickhouse.Exception](err)
			switch {
			case err == nil:
				asked.Add(1)
			case ok && exception.Code == quotaExceeded:
				exceeded.Store(true)
			default:
				return err
			}
		}
		return nil
	}
	var all errgroup.Group
	for range atOnce {
		all.Go(ask)
	}
	if err := all.Wait(); err != nil {
		t.Fatal(err)
	}
	if n := asked.Load(); !exceeded.Load() || n < aMinute-atOnce {
		t.Errorf("after %d statements the quota was exceeded: %t", n, exceeded.Load())
	}
	if n := number(t, open(t, e.URL()), "SELECT count() FROM system.one"); n != 1 {
		t.Errorf("the owner, who has no quota, got %d", n)
	}
}

// The files for a server are compared with the engine's, which reads them in the same way, though from another
// directory.
func TestServersAnalystIsTheEngines(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../server/analyst.xml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	users := strings.NewReplacer(`<password_sha256_hex from_env="ORGSTATS_ANALYST_PASSWORD_SHA256"/>`, "<password>secret</password>",
		"<analyst>", "<reader>", "</analyst>", "</reader>").Replace(string(text))
	if err := os.Mkdir(filepath.Join(dir, "users.d"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "users.d", "reader.xml"), []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	e, err := engine.Start(t.Context(), engine.Options{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	owner := open(t, e.URL())
	execute(t, owner, "CREATE TABLE figures (n UInt64) ENGINE = MergeTree ORDER BY n")
	c := e.Analyst()
	c.User, c.Password = "reader", "secret"
	reader := open(t, c.URL())
	for _, row := range []struct {
		why, statement string
		code           int32
	}{
		{"reading is what the user is for", "SELECT n FROM figures", 0},
		{"clients list tables", "SELECT name FROM system.tables", 0},
		{"and columns, the standard way", "SELECT column_name FROM information_schema.columns", 0},
		{"what others ask is theirs", "SELECT query FROM system.processes", notEnoughRights},
		{"insert is a write", "INSERT INTO figures SELECT 8", notEnoughRights},
		{"the profile holds", "SELECT 1 SETTINGS max_execution_time = 61", overConstraint},
	} {
		if code := exceptionCode(t, reader.Exec(t.Context(), row.statement)); code != row.code {
			t.Errorf("%s: %s gave code %d, want %d", row.why, row.statement, code, row.code)
		}
	}
	if n := number(t, owner, "SELECT count() FROM system.quotas WHERE name = 'analyst' AND has(apply_to_list, 'reader')"); n != 1 {
		t.Error("the quota does not hold for the user")
	}
}
