package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema"
)

// migrate runs a subcommand of migrate.
func (i *installation) migrate(arguments ...string) outcome {
	i.Helper()
	return i.run(append([]string{"migrate"}, arguments...)...)
}

func (i *installation) expectVersion(version uint, arguments ...string) {
	i.Helper()
	o := i.migrate(arguments...)
	if want := fmt.Sprintf("schema version %d", version); o.status != exitOK || !strings.HasPrefix(o.stdout, want) {
		i.Errorf("%q: status %d, want %q: %s%s", arguments, o.status, want, o.stdout, o.stderr)
	}
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.engine() // else every command starts one
	i.write("records", conversationLine("c1"))
	latest := schema.Latest()
	i.expectVersion(0, "version")
	i.expectVersion(latest, "up")
	i.expectVersion(latest, "up")
	i.expectVersion(latest-1, "down")
	i.expectVersion(latest-3, "down", "--steps", "2")
	if o := i.run("load", "records"); o.status != exitOK {
		t.Errorf("load brings the schema up to date: status %d: %s", o.status, o.stderr)
	}
	i.expectVersion(latest, "version")
	i.expectVersion(0, "down", "--steps", "1000")
	if o := i.migrate("down"); o.status != exitFailed || !strings.Contains(o.stderr, "empty") {
		t.Errorf("down below nothing: status %d: %s", o.status, o.stderr)
	}
	if o := i.migrate("down", "--steps", "0"); o.status != exitFailed || !strings.Contains(o.stderr, "--steps") {
		t.Errorf("down by no steps: status %d: %s", o.status, o.stderr)
	}
	i.expectVersion(latest, "up")
	if got := i.serve().figures(adminOfA, always()); got.MessageCount != 0 {
		t.Errorf("an empty database answers %+v", got)
	}
}

func TestAStrangeSchemaIsRefused(t *testing.T) {
	t.Parallel()
	i := install(t)
	e := i.engine()
	conn, err := clickhouse.Open(t.Context(), e.URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	i.write("records", conversationLine("c1"))
	i.expectVersion(schema.Latest(), "up")
	latest := int64(schema.Latest())
	for n, c := range []struct {
		reason  string
		version int64
		dirty   uint8
		says    []string
	}{
		{"a migration was cut off", latest, 1, []string{fmt.Sprint("version ", latest), "dirty"}},
		{"a newer program was here", latest + 7, 0, []string{fmt.Sprint("version ", latest+7), "newer"}},
	} {
		err := conn.Exec(t.Context(), fmt.Sprintf(
			"INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, %d, toUnixTimestamp64Nano(now64(9)) + %d)", c.version, c.dirty, n))
		if err != nil {
			t.Fatal(err)
		}
		for _, arguments := range [][]string{
			{"load", "records"}, {"serve", "--dev-auth", "--listen", "127.0.0.1:0"}, {"migrate", "up"}, {"migrate", "down"},
		} {
			o := i.run(arguments...)
			if o.status != exitFailed {
				t.Errorf("%s: %q: status %d, want %d", c.reason, arguments, o.status, exitFailed)
			}
			for _, text := range c.says {
				if !strings.Contains(o.stderr, text) {
					t.Errorf("%s: %q: no word of %q in %q", c.reason, arguments, text, o.stderr)
				}
			}
		}
		i.expectVersion(uint(c.version), "version")
	}
}
