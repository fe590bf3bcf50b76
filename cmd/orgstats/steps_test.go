package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// writesVariable, in the environment, makes the program kill itself after so many statements that wrote something, or after the first
// that begins in that way.
const writesVariable = "ORGSTATS_TEST_KILL_AFTER_WRITES"

// killAfterWrites sets the program up to end as kill -9 ends it, and to name the statement that was its last.
func killAfterWrites(text string) {
	if text == "" {
		return // it is to live
	}
	n, err := strconv.ParseInt(text, 10, 64)
	var left atomic.Int64
	left.Store(n)
	written = func(statement string) {
		if left.Add(-1) == 0 || err != nil && strings.HasPrefix(strings.TrimSpace(statement), text) {
			fmt.Fprintln(os.Stderr, "killed after:", strings.Join(strings.Fields(statement)[:3], " "))
			_ = unix.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing may follow
		}
	}
}

// A loader is killed after each statement of its batch in turn, the first, the second, and so on, until one lives to its end; and then,
// because statements run side by side, after the first of each kind that none was killed after. Readers ask all the time; answers equal
// the plain query's before, after the crash, and while the next loader mends what it finds; and then what the records say.
func TestEveryStepOfABatchMayBeTheLast(t *testing.T) {
	t.Parallel()
	seed := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("ORGSTATS_TEST_SEED=%d", seed)
	d := &propertyDriver{server: install(t).serve(), generator: newGenerator(seed), oracle: newOracle()}
	e := examine(d.server)
	d.load()
	stop := e.watch(seed + 1)
	last := map[string]int{}
	loads := 0
	die := func(after string) (killed bool) {
		loads++
		statement, killed := d.dieAndMend(e, loads, after)
		if killed {
			last[statement]++
		}
		return killed
	}
	for writes := 1; die(strconv.Itoa(writes)); writes++ {
	}
	for _, table := range []string{
		"batches", "stale_hours", "users", "agents", "conversations", "record_positions", "messages", "kb_files", "members", "stats_cells",
		"user_activity", "user_months",
	} {
		if last["INSERT INTO "+table] == 0 && !die("INSERT INTO "+table+" ") {
			t.Errorf("no loader died after writing %s", table)
		}
	}
	t.Logf("%d answers were compared while loaders wrote and died after %v", stop(), last)
	d.verify()
}

// dieAndMend loads records with a program that dies, and then all of them with one that lives. It tells the last statement of the first.
func (d *propertyDriver) dieAndMend(e *examiner, load int, after string) (statement string, killed bool) {
	d.Helper()
	lines, spoilt := d.lines(80)
	for _, line := range newcomer(load) {
		lines = append(lines, line)
		d.oracle.take(line)
	}
	path := d.store(lines)
	statement, killed = d.loadUntil(after, path)
	e.awaitNoLoader()
	for range 5 {
		caller, query := d.generator.question()
		if !e.compare(caller, query, true) {
			d.Error("somebody writes after the loader's end")
		}
	}
	d.checkLoad([]string{path}, len(lines)-spoilt, spoilt)
	d.checkQuestions(5)
	if d.Failed() {
		d.Fatalf("after %s, %q", after, statement)
	}
	return statement, killed
}

// awaitNoLoader waits until the server has noticed that a loader is dead, which shows in its claim, and has carried out what was sent
// beside the loader's last statement.
func (e *examiner) awaitNoLoader() {
	e.Helper()
	if !eventually(func() bool {
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

// newcomer is a member who was never there before, with a conversation with a new agent, a message and a file: every table is
// written for them.
func newcomer(n int) [][]byte {
	at := time.Date(2024, 3, 1, n, 0, 0, 0, time.UTC).Format(time.RFC3339)
	return [][]byte{
		fmt.Appendf(nil, `{"type":"conversation","id":"new-%d","organizationId":"org_0","userId":"user_new_%[1]d","agentId":"new-%[1]d","createdAt":%[2]q}`, n, at),
		fmt.Appendf(nil, `{"type":"message","id":"new-%d","conversationId":"new-%[1]d","role":"user","createdAt":%[2]q}`, n, at),
		fmt.Appendf(nil, `{"type":"kbFile","id":"new-%d","organizationId":"org_0","knowledgeBaseId":"new","createdAt":%q}`, n, at),
		fmt.Appendf(nil, `{"type":"member","organizationId":"org_0","userId":"user_new_%d","publicMetadata":{"team":"red"},"updatedAt":%q}`, n, at),
	}
}

// loadUntil loads a file with a program that dies after so many writes, or one of a kind, unless it ends before. It tells the last
// statement.
func (d *propertyDriver) loadUntil(after, path string) (statement string, killed bool) {
	d.Helper()
	mortal := *d.installation
	mortal.env = append([]string{fmt.Sprintf("%s=%s", writesVariable, after)}, d.env...)
	o := mortal.run(d.loadArguments([]string{path})...)
	_, statement, killed = strings.Cut(o.stderr, "killed after: ")
	if killed != (o.status == -1) {
		d.Fatalf("status %d: %s", o.status, o.stderr)
	}
	return strings.TrimSpace(statement), killed
}
