package pgtest_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/pgtest"
)

const insert = "INSERT INTO conversation (id, organization_id, user_id) VALUES (gen_random_uuid()::text, 'org_a', 'user_1')"

// count counts the conversations on a connection of its own.
func count(t *testing.T, c *pgtest.Cluster) (n int) {
	t.Helper()
	if err := c.Connect().QueryRow(t.Context(), "SELECT count(*) FROM conversation").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWhatWasAcknowledgedSurvives(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	want := 0
	for _, end := range []struct {
		reason string
		call   func()
	}{
		{"stopped", c.Stop}, {"killed", c.Kill}, {"killed while it recovers", func() { c.Kill(); c.Start(); c.Kill() }},
	} {
		c.Exec(insert)
		want++
		end.call()
		c.Start()
		if got := count(t, c); got != want {
			t.Errorf("%s: %d rows are left of %d", end.reason, got, want)
		}
	}
}

func TestKillEndsEveryProcess(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t)
	conn := c.Connect()
	c.Kill()
	if _, err := conn.Exec(t.Context(), insert); err == nil {
		t.Error("a killed server takes rows")
	}
	if conn, err := pgx.Connect(t.Context(), c.URL()); err == nil {
		_ = conn.Close(t.Context())
		t.Error("a killed server takes connections")
	}
}

func TestPromotedStandbyHasTheRowsAndNoSlot(t *testing.T) {
	t.Parallel()
	primary := pgtest.Start(t)
	primary.Exec("SELECT pg_create_logical_replication_slot('s', 'pgoutput')")
	standby := primary.Standby()
	primary.Exec(insert)
	standby.Promote(primary)
	standby.Exec(insert)
	if got := count(t, standby); got != 2 {
		t.Errorf("%d rows are there of 2", got)
	}
	var slots int
	if err := standby.Connect().QueryRow(t.Context(), "SELECT count(*) FROM pg_replication_slots").Scan(&slots); err != nil || slots != 0 {
		t.Errorf("%d slots, %v", slots, err)
	}
}

// The cluster is told to be as different from the program's taste as settings can make it.
func TestSettings(t *testing.T) {
	t.Parallel()
	c := pgtest.Start(t, "max_replication_slots=3")
	for name, want := range map[string]string{"wal_level": "logical", "max_replication_slots": "3", "TimeZone": "America/St_Johns"} {
		var got string
		if err := c.Connect().QueryRow(t.Context(), "SELECT current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	var address, directory string
	t.Run("a test with a cluster", func(t *testing.T) {
		c := pgtest.Start(t)
		address = c.URL()
		if err := c.Connect().QueryRow(t.Context(), "SHOW data_directory").Scan(&directory); err != nil {
			t.Fatal(err)
		}
	})
	if conn, err := pgx.Connect(t.Context(), address); err == nil {
		_ = conn.Close(context.Background())
		t.Error("the server runs after its test")
	}
	if _, err := os.Stat(strings.TrimSuffix(directory, "/data")); err == nil {
		t.Errorf("%s is left", directory)
	}
}
