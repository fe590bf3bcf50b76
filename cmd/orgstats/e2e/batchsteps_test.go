package e2e

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
)

// writesVariable, in the environment, makes the program kill itself after the first statement that begins with the
// variable's value, or, for "3 INSERT INTO messages", after the third. With engineVariable it kills its engine, and
// lives on. With printWrites it prints all of them, and kills nobody.
const (
	writesVariable = "ORGSTATS_TEST_KILL_AFTER_WRITES"
	printWrites    = "none"
	engineVariable = "ORGSTATS_TEST_KILL_ENGINE"
)

// killAfterWrites returns a function that is called with every write, and at the chosen one prints it and kills the
// program, or its engine, as kill -9 does. It returns nil if nothing is to be killed.
func killAfterWrites(text string) func(statement string) {
	switch text {
	case "":
		return nil
	case printWrites:
		return func(statement string) { fmt.Fprintln(os.Stderr, "wrote:", beginning(statement)) }
	}
	var left atomic.Int64
	left.Store(1)
	if number, rest, _ := strings.Cut(text, " "); number != "" {
		if n, err := strconv.ParseInt(number, 10, 64); err == nil {
			left.Store(n)
			text = rest
		}
	}
	return func(statement string) {
		if !strings.HasPrefix(strings.TrimSpace(statement), text) || left.Add(-1) != 0 {
			return
		}
		fmt.Fprintln(os.Stderr, "killed after:", beginning(statement))
		if data := os.Getenv(engineVariable); data != "" {
			killEngines(data)
			return
		}
		_ = unix.Kill(os.Getpid(), syscall.SIGKILL)
		select {} // nothing may follow
	}
}

// beginning returns the first words of a statement.
func beginning(statement string) string { return strings.Join(strings.Fields(statement)[:3], " ") }

// killEngines kills the engines on a data directory, as kill -9 does, and returns how many there were.
func killEngines(data string) (killed int) {
	for _, pid := range enginesOn(data) {
		if unix.Kill(pid, syscall.SIGKILL) == nil { // otherwise it has ended
			killed++
		}
	}
	return killed
}

// stepsOfABatch are the tables that a batch and its computing write, and of how many statements the first ones stand
// for the others, if there are many: those of the days that are computed.
var stepsOfABatch = []struct {
	table string
	most  int
}{
	{"batches", 0},
	{"stale_hours", 0},
	{"changes", 0},
	{"users", 0},
	{"agents", 0},
	{"conversations", 0},
	{"record_positions", 0},
	{"messages", 0},
	{"kb_files", 0},
	{"members", 0},
	{"stats_cells", 2},
	{"user_activity", 2},
}

// A loader is killed after each statement of its batch in turn, the first, the second, and so on of each table, as many
// as batches like it had. Readers ask all the time. Their answers equal the plain query's before and after the crash,
// and while the next loader repairs what it finds; in the end they equal the oracle's.
func TestEveryStepOfABatchMayBeTheLast(t *testing.T) {
	t.Parallel()
	seed := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("ORGSTATS_TEST_SEED=%d", seed)
	d := &propertyDriver{server: install(t).serve(), generator: newGenerator(seed), oracle: newOracle()}
	e := examine(d.server)
	d.load()
	stop := e.watch(seed + 1)
	died, written := map[string]int{}, d.countWrites(2)
	for _, step := range stepsOfABatch {
		for died[step.table] < written[step.table] && (died[step.table] < step.most || step.most == 0) {
			if !d.dieAt(e, fmt.Sprintf("%d INSERT INTO %s ", died[step.table]+1, step.table)) {
				break
			}
			died[step.table]++
		}
		if died[step.table] == 0 {
			t.Errorf("no loader died after writing %s", step.table)
		}
	}
	t.Logf("%d answers were compared while loaders wrote and died after %v", stop(), died)
	d.verify()
}

// countWrites loads records a few times, and returns how many statements of one load have written a table at most.
func (d *propertyDriver) countWrites(loads int) (most map[string]int) {
	d.Helper()
	most = map[string]int{}
	printing := *d.installation
	printing.env = append([]string{writesVariable + "=" + printWrites}, d.env...)
	for range loads {
		path, records, wrong := d.batch()
		o := printing.run(d.loadArguments([]string{path})...)
		d.checkSummary(o, records, wrong)
		written := map[string]int{}
		for _, found := range regexp.MustCompile(`wrote: INSERT INTO (\w+)`).FindAllStringSubmatch(o.stderr, -1) {
			written[found[1]]++
		}
		for table, n := range written {
			most[table] = max(most[table], n)
		}
	}
	return most
}

// batch stores random records, and some that no batch had before, of which every table is written.
func (d *propertyDriver) batch() (path string, records, wrong int) {
	d.Helper()
	lines, wrong := d.lines(40)
	for _, line := range newcomer(d.loads) {
		lines = append(lines, line)
		d.oracle.take(line)
	}
	return d.store(lines), len(lines) - wrong, wrong
}

// dieAt loads records with a loader that dies after a statement, and then with one that is not killed, and compares
// answers. It reports whether the statement was executed at all.
func (d *propertyDriver) dieAt(e *examiner, statement string) (died bool) {
	d.Helper()
	path, records, wrong := d.batch()
	mortal := *d.installation
	mortal.env = append([]string{writesVariable + "=" + statement}, d.env...)
	o := mortal.run(d.loadArguments([]string{path})...)
	died = strings.Contains(o.stderr, "killed after: ")
	if died != (o.status == -1) {
		d.Fatalf("status %d: %s", o.status, o.stderr)
	}
	if !died {
		d.checkSummary(o, records, wrong)
		return false
	}
	e.awaitNoLoader()
	for range 3 {
		if !e.compare(d.generator.asked(), true) {
			d.Error("somebody writes after the loader's end")
		}
	}
	d.checkLoad([]string{path}, records, wrong)
	d.checkQuestions(3)
	if d.Failed() {
		d.Fatalf("after %s", statement)
	}
	return true
}

// awaitNoLoader waits until the server has noticed that a loader is dead, which shows in its claim, and has executed
// what was sent beside the loader's last statement.
func (e *examiner) awaitNoLoader() {
	e.Helper()
	if !enginetest.Eventually(func() bool {
		var left uint64
		err := e.conn.QueryRow(e.Context(), `
SELECT count()
FROM system.processes
WHERE startsWith(query_id, 'orgstats-loader-') OR Settings['log_comment'] = 'orgstats loader'`).Scan(&left)
		return err == nil && left == 0
	}) {
		e.Fatal("a loader that is dead goes on")
	}
}

// newcomer returns a new member with a conversation with a new agent, a message and a file, so that every table is
// written.
func newcomer(n int) [][]byte {
	at := time.Date(2024, 3, 1, n, 0, 0, 0, time.UTC).Format(time.RFC3339)
	return [][]byte{
		fmt.Appendf(nil, `{"type":"conversation","id":"new-%d","organizationId":"org_0","userId":"user_new_%[1]d","agentId":"new-%[1]d","createdAt":%[2]q}`, n, at),
		fmt.Appendf(nil, `{"type":"message","id":"new-%d","conversationId":"new-%[1]d","role":"user","createdAt":%[2]q}`, n, at),
		fmt.Appendf(nil, `{"type":"kbFile","id":"new-%d","organizationId":"org_0","knowledgeBaseId":"new","createdAt":%q}`, n, at),
		fmt.Appendf(nil, `{"type":"member","organizationId":"org_0","userId":"user_new_%d","publicMetadata":{"team":"red"},"updatedAt":%q}`, n, at),
	}
}
