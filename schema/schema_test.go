package schema_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema"
)

func TestUpAndDown(t *testing.T) {
	url, conn := start(t)
	wantVersion(t, url, 0)
	if before := up(t, url); before != (schema.Version{}) {
		t.Errorf("an empty database stood at %+v", before)
	}
	wantVersion(t, url, schema.Latest())
	made := tables(t, conn)
	for _, name := range []string{"conversations", "messages", "kb_files", "members"} {
		if !slices.Contains(made, name) {
			t.Errorf("there is no table %s", name)
		}
	}

	execute(t, conn, "INSERT INTO members (org_id, user_id) VALUES ('org_1', 'user_1')")
	if before := up(t, url); before.Number != schema.Latest() {
		t.Errorf("a database that is up to date stood at %+v", before)
	}
	if users := list(t, conn, "SELECT groupArray(user_id) FROM members FINAL"); len(users) != 1 {
		t.Errorf("going up again left the members %q", users)
	}

	if err := schema.Down(t.Context(), url, 1); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, url, schema.Latest()-1)
	if err := schema.Down(t.Context(), url, 1000); err != nil {
		t.Fatal(err)
	}
	wantVersion(t, url, 0)
	if left := tables(t, conn); len(left) > 0 {
		t.Errorf("going down left %q", left)
	}
	if err := schema.Down(t.Context(), url, 1); err == nil {
		t.Error("nothing was taken back without an error")
	}

	up(t, url)
	if again := tables(t, conn); !slices.Equal(again, made) {
		t.Errorf("the second time up made %q, the first %q", again, made)
	}
}

func TestConcurrentUps(t *testing.T) {
	url, _ := start(t)
	results := make(chan error)
	for range 2 {
		go func() {
			_, err := schema.Up(t.Context(), url)
			results <- err
		}()
	}
	for range 2 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	wantVersion(t, url, schema.Latest())
}

func TestMigrationWaitsForNoLongerThanItMust(t *testing.T) {
	url, _ := start(t)
	claim, err := clickhouse.TakeClaim(t.Context(), url, "migrate", "somebody else")
	if err != nil {
		t.Fatal(err)
	}
	defer claim.Release()
	if _, err := schema.Up(t.Context(), url); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("while another migrates: %v", err)
	}
}

// setVersion says of the database what golang-migrate would say of it.
func setVersion(t *testing.T, conn clickhouse.Conn, version int64, dirty uint8) {
	t.Helper()
	execute(t, conn, "INSERT INTO schema_migrations (version, dirty, sequence) VALUES (?, ?, toUnixTimestamp64Nano(now64(9)))", version, dirty)
}

func TestDirtySchemaIsRefusedAndMended(t *testing.T) {
	for _, row := range []struct {
		why     string
		version uint
	}{
		{"the first migration was cut off", 1},
		{"one in the middle was", 3},
		{"the last one was", schema.Latest()},
	} {
		t.Run(row.why, func(t *testing.T) {
			url, conn := start(t)
			up(t, url)
			if err := schema.Down(t.Context(), url, since(t, row.version)); err != nil {
				t.Fatal(err)
			}
			setVersion(t, conn, int64(row.version), 1)

			_, upErr := schema.Up(t.Context(), url)
			if upErr == nil || schema.Down(t.Context(), url, 1) == nil {
				t.Fatal("a dirty schema was changed")
			}
			if at, err := schema.Current(t.Context(), url); err != nil || at != (schema.Version{Number: row.version, Dirty: true}) {
				t.Errorf("the schema stands at %+v, %v", at, err)
			}
			advice := regexp.MustCompile(`INSERT INTO .*\)\)\)`).FindString(upErr.Error())
			if advice == "" {
				t.Fatalf("%q names no statement that mends it", upErr)
			}
			execute(t, conn, advice)
			up(t, url)
			wantVersion(t, url, schema.Latest())
		})
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	url, conn := start(t)
	up(t, url)
	before := tables(t, conn)
	setVersion(t, conn, int64(schema.Latest())+1, 0)
	_, err := schema.Up(t.Context(), url)
	if err == nil || !strings.Contains(err.Error(), "newer orgstats") {
		t.Errorf("going up gave %v", err)
	}
	if err := schema.Down(t.Context(), url, 1); err == nil {
		t.Error("what this program does not know was taken back")
	}
	if after := tables(t, conn); !slices.Equal(after, before) {
		t.Errorf("the tables %q became %q", before, after)
	}
}

func TestUnreachableDatabaseIsReported(t *testing.T) {
	for _, change := range []func() error{
		func() error { _, err := schema.Up(t.Context(), "clickhouse://127.0.0.1:1/orgstats"); return err },
		func() error { return schema.Down(t.Context(), "clickhouse://127.0.0.1:1/orgstats", 1) },
		func() error { _, err := schema.Current(t.Context(), "clickhouse://127.0.0.1:1/orgstats"); return err },
	} {
		if err := change(); !clickhouse.IsUnavailable(err) {
			t.Errorf("got %v", err)
		}
	}
}
