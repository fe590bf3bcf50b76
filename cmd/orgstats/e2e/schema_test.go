package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
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
	if want := fmt.Sprintf("schema version %d", version); o.status != cli.ExitOK || !strings.HasPrefix(o.stdout, want) {
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
	if o := i.run("load", "records"); o.status != cli.ExitOK {
		t.Errorf("load brings the schema up to date: status %d: %s", o.status, o.stderr)
	}
	i.expectVersion(latest, "version")
	i.expectVersion(0, "down", "--steps", "1000")
	if o := i.migrate("down"); o.status != cli.ExitFailed || !strings.Contains(o.stderr, "empty") {
		t.Errorf("down below nothing: status %d: %s", o.status, o.stderr)
	}
	if o := i.migrate("down", "--steps", "0"); o.status != cli.ExitFailed || !strings.Contains(o.stderr, "--steps") {
		t.Errorf("down by no steps: status %d: %s", o.status, o.stderr)
	}
	i.expectVersion(latest, "up")
	if got := i.serve().figures(adminOfA, always()); got.MessageCount != 0 {
		t.Errorf("an empty database answers %+v", got)
	}
}

func TestANewerSchemaIsRefused(t *testing.T) {
	t.Parallel()
	i := install(t)
	conn := i.connection()
	i.write("records", conversationLine("c1"))
	i.expectVersion(schema.Latest(), "up")
	newer := schema.Latest() + 7
	for dirty := range 2 {
		err := conn.Exec(t.Context(), fmt.Sprintf(
			"INSERT INTO schema_migrations (version, dirty, sequence) VALUES (%d, %d, toUnixTimestamp64Nano(now64(9)))", newer, dirty))
		if err != nil {
			t.Fatal(err)
		}
		for _, arguments := range [][]string{
			{"load", "records"},
			{"serve", "--dev-auth", "--listen", "127.0.0.1:0"},
			{"migrate", "up"},
			{"migrate", "down"},
			{"replicate", "--source-url", "postgres://127.0.0.1:1/nowhere"},
		} {
			o := i.run(arguments...)
			if o.status != cli.ExitFailed {
				t.Errorf("%q: status %d, want %d", arguments, o.status, cli.ExitFailed)
			}
			for _, text := range []string{fmt.Sprint("version ", newer), "newer"} {
				if !strings.Contains(o.stderr, text) {
					t.Errorf("%q: no word of %q in %q", arguments, text, o.stderr)
				}
			}
		}
		i.expectVersion(newer, "version")
	}
}

// A program is killed at any point of the migrations. The next one finishes them.
func TestKilledMigrationsAreFinished(t *testing.T) {
	t.Parallel()
	i := install(t)
	conn := i.connection()
	i.write("records", conversationLine("c1"))
	noted := func() (n uint64) {
		_ = conn.QueryRow(t.Context(), "SELECT count() FROM schema_migrations").Scan(&n) // the table may not exist yet
		return n
	}
	finished := uint64(2*schema.Latest() - 1) // all but the last are recorded twice
	for kill := uint64(1); kill < 6; kill++ {
		before := noted()
		p := i.start("load", "records")
		for noted() < before+kill*finished/6 && p.running() {
		}
		p.kill()
		o := i.migrate("up")
		if o.status != cli.ExitOK {
			t.Fatalf("killed after %d notes: status %d: %s", noted()-before, o.status, o.stderr)
		}
		if strings.Contains(o.stderr, "cut off") {
			t.Log(lastLine(o.stderr))
		}
		i.expectVersion(schema.Latest(), "version")
		i.expectVersion(0, "down", "--steps", "1000")
	}
	if o := i.run("load", "records"); o.status != cli.ExitOK {
		t.Errorf("status %d: %s", o.status, o.stderr)
	}
}
