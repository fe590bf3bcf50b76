package main

import (
	"io"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema"
)

const insertSlow = `
INSERT INTO messages (org_id, created_at, id, conversation_id, user_id, version)
SELECT 'org_a', toDateTime64('2024-01-01 10:00:00', 3, 'UTC') + number / 1000, toString(number), toString(number), 'user_1', 1
FROM numbers(500000)`

// A caller who hangs up stops the statement. It is slow because every message stands in two parts, which ClickHouse must merge row
// by row.
func TestHangingUpStopsTheStatement(t *testing.T) {
	t.Parallel()
	i := install(t)
	e := i.engine()
	i.expectVersion(schema.Latest(), "up")
	conn, err := clickhouse.Open(t.Context(), e.URL(), clickhouse.Pool{MaxOpen: 2, MaxIdle: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, statement := range []string{"SYSTEM STOP MERGES messages", insertSlow, insertSlow} {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	i.env = []string{"ORGSTATS_CLICKHOUSE_URL=" + e.URL() + "?max_threads=1&max_block_size=1"}
	s := i.serve()
	statements := func() (n uint64) {
		err := conn.QueryRow(t.Context(), "SELECT count() FROM system.processes WHERE startsWith(Settings['log_comment'], 'orgstats request ')").Scan(&n)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	caller, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	// No whole hour, so that nothing but the messages can answer.
	query := url.Values{"from": {"2024-01-01T10:00:00.001Z"}, "to": {"2024-01-01T10:09:59.999Z"}, "allInOrg": {"true"}}
	if _, err := io.WriteString(caller, s.requestText(adminOfA, query)); err != nil {
		t.Fatal(err)
	}
	if !eventually(func() bool { return statements() == 1 }) {
		t.Fatal("the statement does not begin")
	}
	_ = caller.Close()
	began := time.Now()
	if !eventually(func() bool { return statements() == 0 }) {
		t.Fatal("the statement does not end")
	}
	took := time.Since(began)
	t.Logf("the statement ended after %v", took)
	if took > 10*time.Second {
		t.Errorf("the statement ended only %v after its caller had hung up", took)
	}
}
