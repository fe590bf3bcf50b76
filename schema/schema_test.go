package schema_test

import (
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

// A migration is cut off right after golang-migrate has noted that it begins, on its way up or down, or right before it
// would have noted the end. The next way up mends that, whatever there was of it.
func TestWhatWasCutOffIsRunAgain(t *testing.T) {
	url, conn := start(t)
	up(t, url)
	want := definitions(t, conn)
	for _, row := range []struct {
		why     string
		version uint // that is dirty
		made    uint // the last one whose tables are there
	}{
		{"the first, before its statement", 1, 0},
		{"the first, after it", 1, 1},
		{"one in the middle, before its statement", 3, 2},
		{"one in the middle, after it", 3, 3},
		{"the last one, before its statement", schema.Latest(), schema.Latest() - 1},
		{"the last one, after it", schema.Latest(), schema.Latest()},
		{"the way down from the last one, before its statement", schema.Latest() - 1, schema.Latest()},
		{"the way down from one in the middle, before its statement", 3, 4},
		{"the way down from the first, before its statement", 0, 1},
		{"the way down from the first, after it", 0, 0},
	} {
		t.Run(row.why, func(t *testing.T) {
			execute(t, conn, "INSERT INTO conversations (id, org_id) VALUES ('c1', 'org_1')")
			if err := schema.Down(t.Context(), url, since(t, row.made+1)); row.made < schema.Latest() && err != nil {
				t.Fatal(err)
			}
			version := int64(row.version)
			if version == 0 {
				version = -1
			}
			setVersion(t, conn, version, 1)
			cutOff := schema.Version{Number: row.version, Dirty: true}
			if at, err := schema.Current(t.Context(), url); err != nil || at != cutOff {
				t.Errorf("the schema stands at %+v, %v", at, err)
			}
			if err := schema.Down(t.Context(), url, 1); err == nil || !strings.Contains(err.Error(), "dirty") {
				t.Errorf("going down gave %v", err)
			}

			if before := up(t, url); before != cutOff {
				t.Errorf("the schema stood at %+v, want %+v", before, cutOff)
			}
			wantVersion(t, url, schema.Latest())
			if made := definitions(t, conn); !slices.Equal(made, want) {
				t.Errorf("the tables are %q, want %q", made, want)
			}
			if kept := list(t, conn, "SELECT groupArray(toString(id)) FROM conversations FINAL"); len(kept) != 1 && row.made > 0 {
				t.Errorf("the conversations %q are left of one", kept)
			}
		})
	}
}

func TestUnknownDirtyVersionIsRefused(t *testing.T) {
	url, conn := start(t)
	up(t, url)
	setVersion(t, conn, int64(schema.Latest())+1, 1)
	before := definitions(t, conn)
	if _, err := schema.Up(t.Context(), url); err == nil || !strings.Contains(err.Error(), "newer orgstats") {
		t.Errorf("going up gave %v", err)
	}
	if after := definitions(t, conn); !slices.Equal(after, before) {
		t.Errorf("the tables %q became %q", before, after)
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
