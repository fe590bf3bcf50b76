package clickhouse_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// holderVariable, in the environment, makes the test binary hold a claim on the server that it names, until it is
// killed.
const holderVariable = "CLICKHOUSE_TEST_HOLDER"

func TestMain(m *testing.M) {
	if url := os.Getenv(holderVariable); url != "" {
		engine.RunChildIfAsked()
		holdClaim(url)
		return
	}
	enginetest.Main(m)
}

// holdClaim prints a line once it has the claim.
func holdClaim(url string) {
	claim, err := clickhouse.TakeClaim(context.Background(), url, "test", "the process to kill")
	fmt.Println(err)
	if err == nil {
		<-claim.Lost()
	}
}

func open(t *testing.T, url string) clickhouse.Conn {
	t.Helper()
	conn, err := clickhouse.Open(t.Context(), url, clickhouse.Pool{MaxOpen: 4, MaxIdle: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// one returns the single value that a query selects.
func one[T any](t *testing.T, ctx context.Context, conn clickhouse.Conn, query string) (value T) {
	t.Helper()
	if err := conn.QueryRow(ctx, query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}
