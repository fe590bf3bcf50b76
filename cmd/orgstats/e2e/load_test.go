package e2e

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/loader/compresstest"
	"github.com/orgstats/orgstats/service/auth"
)

// conversationLine returns a conversation of user_1 in org_a.
func conversationLine(id string) []byte {
	return fmt.Appendf(nil, `{"type":"conversation","id":%q,"organizationId":"org_a","userId":"user_1","createdAt":"2024-01-01T00:00:00Z"}`+"\n", id)
}

var adminOfA = auth.Caller{OrgID: "org_a", UserID: "user_1", Role: "org:admin"}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.engine() // which all commands join
	i.write("good", conversationLine("c1"))
	i.write("mixed", append(conversationLine("c2"), "nonsense\n"...))
	i.write("cut.gz", compresstest.Gzip(t, bytes.Repeat(conversationLine("c3"), 1000))[:60])
	i.write("damaged.zst", append(compresstest.Zstd(t, conversationLine("c3"))[:20], "damage"...))
	for _, c := range []struct {
		reason    string
		arguments []string
		status    int
		says      []string
	}{
		{"help is no failure", []string{"--help"}, cli.ExitOK, []string{"serve", "load", "migrate", "token", "clickhouse", "demo"}},
		{"no command", nil, cli.ExitFailed, []string{"load"}},
		{"a flag that is none", []string{"load", "--fast", "good"}, cli.ExitFailed, []string{"--fast"}},
		{"no file to load", []string{"load"}, cli.ExitFailed, []string{"<file>"}},
		{"every record was taken", []string{"load", "good"}, cli.ExitOK, nil},
		{"some were rejected", []string{"load", "--rejects", "r1", "mixed", "good"}, cli.ExitRejected, []string{"r1"}},
		{"the rejects file is there already", []string{"load", "--rejects", "r1", "mixed"}, cli.ExitFailed, []string{"r1"}},
		{"a gzip file was cut off", []string{"load", "cut.gz"}, cli.ExitFailed, []string{"cut.gz"}},
		{"a zstd file is damaged", []string{"load", "damaged.zst"}, cli.ExitFailed, []string{"damaged.zst"}},
		{"a file is not there", []string{"load", "good", "absent"}, cli.ExitFailed, []string{"absent"}},
		{"a directory, and a file that is not there", []string{"load", "data", "absent"}, cli.ExitFailed, []string{"absent", "data is a directory"}},
		{"a token for a user that is none", []string{"token", "--user", "nobody"}, cli.ExitFailed, []string{"user_"}},
	} {
		o := i.run(c.arguments...)
		if o.status != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.reason, o.status, c.status, o.stderr)
		}
		for _, text := range c.says {
			if !strings.Contains(o.stdout+o.stderr, text) {
				t.Errorf("%s: no word of %q in %q", c.reason, text, o.stdout+o.stderr)
			}
		}
	}
}

func TestAnUnreadableFileStopsTheLoadBeforeItBegins(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("good", conversationLine("c1"))
	if o := i.run("load", "good", "absent", "good"); o.status != cli.ExitFailed {
		t.Errorf("status %d, want %d", o.status, cli.ExitFailed)
	}
	o := i.run("load", "good")
	if got := summaryOf(t, o.stdout)["conversation"]; got.loaded != 1 {
		t.Errorf("%+v: the record was loaded before", got)
	}
}

func TestRejectsFile(t *testing.T) {
	t.Parallel()
	i := install(t)
	input := "\n" + `{"type":"conversation","id":"c1","organizationId":"org_a","createdAt":"2024-01-01T00:00:00Z"}` + "\n" +
		string(conversationLine("c2")) + "not <JSON>\n"
	i.write("second", compresstest.Gzip(t, []byte(`{"type":"note","id":"n1"}`)))
	if o := i.runWith([]byte(input), "load", "--rejects", "rejects", "-", "second"); o.status != cli.ExitRejected {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	type reject struct {
		File                          string
		Line                          int
		Type, ID, Field, Reason, Text string
	}
	var got []reject
	for line := range strings.Lines(i.read("rejects")) {
		r := decode[reject](t, line)
		if r.Reason == "" {
			t.Errorf("%s: no reason", line)
		}
		r.Reason = ""
		got = append(got, r)
	}
	lines := strings.Split(input, "\n")
	want := []reject{
		{File: "-", Line: 2, Type: "conversation", ID: "c1", Field: "userId", Text: lines[1]},
		{File: "-", Line: 4, Text: lines[3]},
		{File: "second", Line: 1, Field: "type", Text: `{"type":"note","id":"n1"}`},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// awaitClaim waits until a loader writes to the database.
func (i *installation) awaitClaim() {
	i.Helper()
	conn, err := clickhouse.Open(i.Context(), i.engine().URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		i.Fatal(err)
	}
	defer conn.Close()
	if !enginetest.Eventually(func() bool {
		var n uint64
		err := conn.QueryRow(i.Context(), "SELECT count() FROM system.processes WHERE startsWith(query_id, 'orgstats-loader-')").Scan(&n)
		return err == nil && n == 1
	}) {
		i.Fatal("no loader takes the claim")
	}
}

func TestOneLoaderAtATime(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.write("good", conversationLine("c1"))
	first := i.start("load", "-")
	first.awaitText(&first.stderr, "started the engine")
	i.awaitClaim()
	refused := i.run("load", "good")
	if name := fmt.Sprint("process ", first.command.Process.Pid, " "); refused.status != cli.ExitFailed || !strings.Contains(refused.stderr, name) {
		t.Errorf("status %d, want %d, and an error that names %q: %s", refused.status, cli.ExitFailed, name, refused.stderr)
	}
	if !first.running() {
		t.Error("the first loader has ended")
	}
	first.kill()
	if o := i.run("load", "good"); o.status != cli.ExitOK { // it waits for the claim no longer than for a few seconds
		t.Errorf("after the first was killed: status %d: %s", o.status, o.stderr)
	}
}

func TestLoadWhileTheServiceRuns(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := i.serve()
	before := i.engines()
	i.write("records", append(conversationLine("c1"),
		`{"type":"message","id":"m1","conversationId":"c1","role":"user","createdAt":"2024-01-01T00:00:00Z"}`...))
	p := i.start("load", "records")
	p.awaitText(&p.stderr, "joined the running engine")
	if after := i.engines(); len(after) != 1 || after[0] != before[0] {
		t.Errorf("engines %v, want %v", after, before)
	}
	if o := p.end(); o.status != cli.ExitOK {
		t.Errorf("status %d: %s", o.status, o.stderr)
	}
	if got := s.figures(adminOfA, always()); got.MessageCount != 1 {
		t.Errorf("the service sees %+v", got)
	}
	s.kill()
	i.expectNoEngine()
}

// A loader stops at the first SIGINT, whether or not records arrive, and prints what it did.
func TestInterruptedLoad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reason string
		more   func(*process)
	}{
		{"no more records come", func(*process) {}},
		{"records come all the time", func(p *process) {
			for n := 0; p.running(); n++ {
				_, _ = p.stdin.Write(conversationLine(fmt.Sprint("c", n)))
			}
		}},
	} {
		t.Run(c.reason, func(t *testing.T) {
			i := install(t)
			p := i.start("load", "-")
			p.feed(conversationLine("c"))
			fed := make(chan struct{})
			go func() { defer close(fed); c.more(p) }()
			p.signal(syscall.SIGINT)
			o := p.wait()
			<-fed
			if o.status != cli.ExitFailed || !strings.Contains(o.stderr, "the load was stopped") {
				t.Errorf("status %d: %s", o.status, o.stderr)
			}
			summaryOf(t, o.stdout)
		})
	}
}

// Two lines have the maximum size, and one is longer.
func TestLongLinesInBoundedMemory(t *testing.T) {
	t.Parallel()
	const longest = 64 << 20
	line := func(id string, size int) []byte {
		start := bytes.TrimSuffix(conversationLine(id), []byte("}\n"))
		start = append(start, `,"title":"`...)
		return append(append(start, bytes.Repeat([]byte("x"), size-len(start)-2)...), "\"}\n"...)
	}
	i := install(t)
	i.engine() // so that the loader does not count the engine's memory as its own
	var text []byte
	for n, size := range []int{200, longest, longest + 1, longest, 300} {
		text = append(text, line(fmt.Sprint("c", n), size)...)
	}
	i.write("long.zst", compresstest.Zstd(t, text))
	p := i.start("load", "--rejects", "rejects", "long.zst")
	peak := p.peakMemory()
	if o := p.end(); o.status != cli.ExitRejected {
		t.Errorf("status %d: %s", o.status, o.stderr)
	}
	if got := summaryOf(t, p.stdout.String()).total(); got.loaded != 4 || got.rejected != 1 {
		t.Errorf("%+v, want 4 loaded and 1 rejected", got)
	}
	if !strings.Contains(i.read("rejects"), `"line":3`) {
		t.Errorf("line 3 is not among the rejects: %.300s", i.read("rejects"))
	}
	t.Logf("peak memory %d MiB", peak>>20)
	if limit := 512 << 20; peak > limit && !raceDetector {
		t.Errorf("peak memory %d MiB, want at most %d", peak>>20, limit>>20)
	}
}

var peakMemoryLine = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB`)

// peakMemory waits for the end and returns the peak resident memory in bytes.
func (p *process) peakMemory() (peak int) {
	p.Helper()
	for p.running() {
		status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid)) // it may have ended
		if found := peakMemoryLine.FindSubmatch(status); found != nil {
			kilobytes, _ := strconv.Atoi(string(found[1]))
			peak = max(peak, kilobytes<<10)
		}
		time.Sleep(2 * time.Millisecond)
	}
	if peak == 0 {
		p.Fatal("the system does not tell the peak memory of a process")
	}
	return peak
}
