package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// writesVariable, in the environment, makes the program kill itself after the so-manieth point of its writing (see steps), or after the
// first statement that begins in that way; with engineVariable it kills its engine, and lives on.
const (
	writesVariable = "ORGSTATS_TEST_KILL_AFTER_WRITES"
	engineVariable = "ORGSTATS_TEST_KILL_ENGINE"
)

// killAfterWrites sets the program up to end as kill -9 ends it, and to name the statement that was its last.
func killAfterWrites(text string) {
	if text == "" {
		return // it is to live
	}
	isLast := func(statement string) bool { return strings.HasPrefix(strings.TrimSpace(statement), text) }
	if n, err := strconv.Atoi(text); err == nil {
		taken := &steps{seen: map[[2]string]bool{}}
		isLast = func(statement string) bool { return taken.take(statement) == n }
	}
	written = func(statement string) {
		if isLast(statement) {
			fmt.Fprintln(os.Stderr, "killed after:", firstWords(statement))
			if data := os.Getenv(engineVariable); data != "" {
				killEngines(data)
				return
			}
			_ = unix.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // nothing may follow
		}
	}
}

// steps are the statements that a program has written with. A point, at which it may be killed, is one that no earlier statement was alike: of
// its kind, after one of the same kind. Twenty days that are computed one after the other are two points, and not twenty.
type steps struct {
	mu     sync.Mutex
	last   string
	seen   map[[2]string]bool
	points int
}

// take takes in a statement, and gives how many points there were with it; 0 when it is none.
func (s *steps) take(statement string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	step := [2]string{s.last, firstWords(statement)}
	s.last = step[1]
	if s.seen[step] {
		return 0
	}
	s.seen[step] = true
	s.points++
	return s.points
}

// firstWords tell what a statement does, and with which table.
func firstWords(statement string) string { return strings.Join(strings.Fields(statement)[:3], " ") }

// killEngines kills the engines on a data directory, as kill -9 does, and tells how many there were.
func killEngines(data string) (killed int) {
	for _, pid := range enginesOn(data) {
		if unix.Kill(pid, syscall.SIGKILL) == nil { // else it has ended
			killed++
		}
	}
	return killed
}

// A loader is killed at each point of its batch in turn, the first, the second, and so on, until one lives to its end. Readers
// ask all the time; answers equal the plain query's before, after the crash, and while the next loader mends what it
// finds; and then what the records say.
func TestEveryStepOfABatchMayBeTheLast(t *testing.T) {
	t.Parallel()
	seed := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano()))
	t.Logf("ORGSTATS_TEST_SEED=%d", seed)
	d := &propertyDriver{server: install(t).serve(), generator: newGenerator(seed), oracle: newOracle()}
	e := examine(d.server)
	d.load()
	stop := e.watch(seed + 1)
	last := map[string]int{}
	for point := 1; ; point++ {
		lines, spoilt := d.lines(80)
		for _, line := range newcomer(point) {
			lines = append(lines, line)
			d.oracle.take(line)
		}
		path := d.store(lines)
		statement, killed := d.loadUntil(point, path)
		for range 5 {
			caller, query := d.generator.question()
			if !e.compare(caller, query, true) {
				t.Error("somebody writes after the loader's end")
			}
		}
		d.checkLoad([]string{path}, len(lines)-spoilt, spoilt)
		d.checkQuestions(5)
		if t.Failed() {
			t.Fatalf("at point %d, after %q", point, statement)
		}
		if !killed {
			break
		}
		last[statement]++
	}
	t.Logf("%d answers were compared while loaders wrote and died after %v", stop(), last)
	for _, table := range []string{
		"batches", "stale_hours", "users", "agents", "conversations", "record_positions", "messages", "kb_files", "members", "stats_cells",
		"user_activity", "user_months",
	} {
		if last["INSERT INTO "+table] == 0 {
			t.Errorf("no loader died after writing %s", table)
		}
	}
	d.verify()
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

// loadUntil loads a file with a program that dies at a point, unless it ends before. It tells the last statement.
func (d *propertyDriver) loadUntil(point int, path string) (statement string, killed bool) {
	d.Helper()
	mortal := *d.installation
	mortal.env = append([]string{fmt.Sprintf("%s=%d", writesVariable, point)}, d.env...)
	o := mortal.run(d.loadArguments([]string{path})...)
	_, statement, killed = strings.Cut(o.stderr, "killed after: ")
	if killed != (o.status == -1) {
		d.Fatalf("status %d: %s", o.status, o.stderr)
	}
	return strings.TrimSpace(statement), killed
}
