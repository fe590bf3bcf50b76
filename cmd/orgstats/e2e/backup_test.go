package e2e

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

// A backup is made while the service answers, and restored elsewhere. The restored database equals the original as of
// the backup: the same answers, cells that agree with the messages, and loading that continues where it stopped.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	i := install(t)
	g := newGenerator(7)
	first, second := g.records(3000), g.records(1000)
	i.write("first", joined(first))
	i.write("second", joined(second))
	i.loadRecords("first")
	s := i.serve()
	questions := g.questions(20)
	before := s.answers(questions)

	made := i.run("backup", "backup.tar")
	if made.status != cli.ExitOK || !strings.HasPrefix(made.stdout, "backed up ") {
		t.Fatalf("status %d: %s%s", made.status, made.stdout, made.stderr)
	}
	s.expect("after the backup", questions, before)
	i.loadRecords("second")
	after := s.answers(questions)

	o := install(t)
	began := time.Now()
	restored := o.run("restore", i.path("backup.tar"))
	if restored.status != cli.ExitOK || !strings.HasPrefix(restored.stdout, "restored ") {
		t.Fatalf("status %d: %s%s", restored.status, restored.stdout, restored.stderr)
	}
	t.Logf("%sand %srestored, with the engine's start, in %s", made.stdout, restored.stdout, time.Since(began))
	if v := o.run("verify"); v.status != cli.ExitOK {
		t.Errorf("verify: status %d: %s", v.status, v.stdout)
	}
	r := o.serve()
	r.expect("restored", questions, before)
	o.write("second", joined(second))
	o.loadRecords("second")
	r.expect("with the records that came after the backup", questions, after)
}

// records generates lines that are all valid records.
func (g *generator) records(n int) (lines [][]byte) {
	for len(lines) < n {
		if line, wrong := g.line(); !wrong {
			lines = append(lines, line)
		}
	}
	return lines
}

func (g *generator) questions(n int) (all []asked) {
	for range n {
		all = append(all, g.asked())
	}
	return all
}

func (i *installation) loadRecords(name string) {
	i.Helper()
	if o := i.run("load", name); o.status != cli.ExitOK {
		i.Fatalf("load %s: status %d: %s", name, o.status, o.stderr)
	}
}

// answers asks the questions and returns the bodies of the answers.
func (s *server) answers(questions []asked) (all []string) {
	s.Helper()
	for _, q := range questions {
		got := s.askAbout(q)
		if got.status != 200 {
			s.Fatalf("%v: status %d, %s", q, got.status, got.body)
		}
		all = append(all, got.body)
	}
	return all
}

func (s *server) expect(when string, questions []asked, want []string) {
	s.Helper()
	for n, got := range s.answers(questions) {
		if got != want[n] {
			s.Errorf("%s, %v asks %s:\n got %s\nwant %s", when, questions[n].caller, questions[n].query.Encode(), got, want[n])
		}
	}
}

func TestBackupAndRestoreRefuse(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("records", conversationLine("c1"))
	i.loadRecords("records")
	if o := i.run("backup", "backup"); o.status != cli.ExitOK {
		t.Fatalf("into a directory: status %d: %s", o.status, o.stderr)
	}
	i.write("damaged.tar", []byte("nonsense"))
	loader := i.start("load", "-")
	loader.awaitText(&loader.stderr, "engine")
	i.awaitClaim()
	if o := i.run("backup", "other"); o.status != cli.ExitFailed || !strings.Contains(o.stderr, "another loader writes") {
		t.Errorf("while a loader is at work: status %d: %s", o.status, o.stderr)
	}
	if o := loader.end(); o.status != cli.ExitOK {
		t.Fatal(o.stderr)
	}
	empty := install(t)
	for _, c := range []struct {
		reason    string
		at        *installation
		arguments []string
		says      string
	}{
		{"there is a backup already", i, []string{"backup", "backup"}, "already exists"},
		{"a place that can't be written", i, []string{"backup", "/proc/backup"}, "/proc/backup"},
		{"the database is not empty", i, []string{"restore", "backup"}, "not empty"},
		{"no backup is there", empty, []string{"restore", "absent"}, "absent"},
		{"no backup it is", empty, []string{"restore", i.path("damaged.tar")}, "damaged.tar"},
	} {
		if o := c.at.run(c.arguments...); o.status != cli.ExitFailed || !strings.Contains(o.stderr, c.says) || strings.Contains(o.stderr, "Stack trace") {
			t.Errorf("%s: status %d, want %d and a word of %q: %s", c.reason, o.status, cli.ExitFailed, c.says, o.stderr)
		}
	}
	if o := empty.run("restore", i.path("backup")); o.status != cli.ExitOK {
		t.Errorf("a failed restoration left something behind: status %d: %s", o.status, o.stderr)
	}
}

// A copy of a data directory that no engine uses is a backup, too.
func TestACopyOfTheDataDirectoryIsABackup(t *testing.T) {
	t.Parallel()
	i := install(t)
	g := newGenerator(8)
	i.write("records", joined(g.records(500)))
	i.loadRecords("records")
	questions := g.questions(20)
	s := i.serve()
	before := s.answers(questions)
	s.kill()
	i.expectNoEngine()
	o := install(t)
	if err := os.CopyFS(o.data(), os.DirFS(i.data())); err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"dev-auth-key.pem", "credentials.json"} { // CopyFS lets everybody read
		if err := os.Chmod(o.path("data/"+private), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o.serve().expect("from the copy", questions, before)
}

// On a server, for which another installation's engine stands in here, a backup can be restored into a database of any
// name.
func TestRestoreIntoAnotherDatabase(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("records", conversationLine("c1"))
	i.loadRecords("records")
	if o := i.run("backup", "backup.tar"); o.status != cli.ExitOK {
		t.Fatal(o.stderr)
	}
	e := i.engine()
	conn, err := clickhouse.Open(t.Context(), e.URL(), clickhouse.Pool{MaxOpen: 2, MaxIdle: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Exec(t.Context(), "CREATE DATABASE `other one`"); err != nil {
		t.Fatal(err)
	}
	other, err := clickhouse.Open(t.Context(), strings.TrimSuffix(e.URL(), e.Owner().Database)+"other%20one", clickhouse.Pool{MaxOpen: 2, MaxIdle: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	place := clickhouse.BackupPlace{Name: i.path("backup.tar")}
	if _, err := clickhouse.RestoreBackup(t.Context(), other, place, "absent"); err == nil {
		t.Error("a database that is not in the backup was restored")
	}
	if _, err := clickhouse.RestoreBackup(t.Context(), other, place, e.Owner().Database); err != nil {
		t.Fatal(err)
	}
	var n uint64
	if err := other.QueryRow(t.Context(), "SELECT count() FROM conversations FINAL WHERE id = 'c1'").Scan(&n); err != nil || n != 1 {
		t.Errorf("%d conversations, %v", n, err)
	}
	// Views must read the tables beside them, not those of the database that was backed up.
	var definition string
	err = other.QueryRow(t.Context(), "SELECT create_table_query FROM system.tables WHERE database = currentDatabase() AND name = 'waiting_messages'").Scan(&definition)
	if err != nil || !strings.Contains(definition, "`other one`.messages") {
		t.Errorf("%v: %s", err, definition)
	}
}
