package e2e

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/auth"
)

// crowd asks continuously, each of its members one question after the other, and counts the answers.
type crowd struct {
	*server
	caller auth.Caller
	query  url.Values
	right  string // the body of every 200

	cancel   context.CancelFunc
	running  sync.WaitGroup
	mu       sync.Mutex
	statuses map[int]int
	lastOK   atomic.Int64 // when, in nanoseconds since 1970
}

// gather starts a crowd of so many members, which ask until it is stopped.
func (s *server) gather(members int, caller auth.Caller, query url.Values) *crowd {
	s.Helper()
	ctx, cancel := context.WithCancel(s.Context())
	c := &crowd{server: s, caller: caller, query: query, cancel: cancel, statuses: map[int]int{}}
	first := s.ask(s.token(caller), query)
	if first.status != http.StatusOK {
		s.Fatalf("status %d: %s", first.status, first.body)
	}
	c.right = first.body
	for range members {
		c.running.Go(func() {
			for ctx.Err() == nil {
				c.once()
			}
		})
	}
	s.Cleanup(func() { c.stop() })
	return c
}

// once asks and checks the answer: the right figures, or a refusal with Retry-After.
func (c *crowd) once() {
	got := c.ask(c.token(c.caller), c.query)
	c.mu.Lock()
	c.statuses[got.status]++
	c.mu.Unlock()
	switch got.status {
	case http.StatusOK:
		c.lastOK.Store(time.Now().UnixNano())
		if got.body != c.right {
			c.Errorf("wrong figures: %s, want %s", got.body, c.right)
		}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		if got.header.Get("Retry-After") == "" {
			c.Errorf("status %d without Retry-After: %s", got.status, got.body)
		}
	}
}

// stop stops the crowd and returns how often each status was received.
func (c *crowd) stop() map[int]int {
	c.cancel()
	c.running.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.statuses
}

// awaitAnswers waits for an answer with figures to a question that is asked from now on.
func (c *crowd) awaitAnswers(when string) {
	c.Helper()
	now := time.Now().Add(100 * time.Millisecond).UnixNano() // requests in flight were sent before
	if !enginetest.Eventually(func() bool { return c.lastOK.Load() > now }) {
		c.Fatalf("no answer %s", when)
	}
}

func expectOnly(t *testing.T, statuses map[int]int, allowed ...int) {
	t.Helper()
	left := map[int]int{}
	for status, n := range statuses {
		left[status] = n
	}
	for _, status := range allowed {
		delete(left, status)
	}
	if len(left) > 0 {
		t.Errorf("statuses %v, want only %v", statuses, allowed)
	}
}

// awaitReady waits until /readyz has the status, and returns its body.
func (s *server) awaitReady(status int) (body string) {
	s.Helper()
	if !enginetest.Eventually(func() bool {
		response, err := s.client.Get("http://" + s.address + "/readyz")
		if err != nil {
			return false
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		body = string(text)
		return response.StatusCode == status
	}) {
		s.Fatalf("/readyz never had status %d: %s", status, body)
	}
	return body
}

// The engine is killed twice under load. Until it is back there are refusals, but never a wrong figure or another
// failure; afterwards everything is as before.
func TestEngineKilledUnderLoad(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, unlimited...)
	c := s.gather(6, adminOfAcme, always())
	c.awaitAnswers("at first")
	before := s.scrape()
	for n := 1; n <= 2; n++ {
		pids := s.engines()
		if len(pids) != 1 {
			t.Fatalf("there are %d engines", len(pids))
		}
		if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		s.awaitText(&s.stderr, fmt.Sprintf(`(?s)(?:runs again.*){%d}`, n))
		c.awaitAnswers("after a restart")
	}
	s.awaitReady(http.StatusOK)
	expectOnly(t, c.stop(), http.StatusOK, http.StatusServiceUnavailable)
	after := s.scrape()
	if after["orgstats_engine_restarts_total"] != 2 || after["orgstats_engine_up"] != 1 {
		t.Errorf("the metrics tell of %v restarts", after["orgstats_engine_restarts_total"])
	}
	s.expectNoLeak(before)
}

// The engine is stopped by a signal, which simulates a hang. The service reports that, sheds requests, and recovers
// when the engine does.
func TestEngineHungUnderLoad(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, append(unlimited, "--query-time=1s", "--concurrency=4", "--queue-time=100ms")...)
	c := s.gather(6, adminOfAcme, always())
	c.awaitAnswers("at first")
	before := s.scrape()
	pid := s.engines()[0]
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(pid, syscall.SIGCONT) }()
	if body := s.awaitReady(http.StatusServiceUnavailable); !strings.Contains(body, "clickhouse") {
		t.Errorf("/readyz does not name the part: %s", body)
	}
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	c.awaitAnswers("after the engine goes on")
	s.awaitReady(http.StatusOK)
	expectOnly(t, c.stop(), http.StatusOK, http.StatusServiceUnavailable, http.StatusRequestTimeout)
	s.expectNoLeak(before)
}

// The disk is full, as ClickHouse sees it, while a load writes. The load waits for space and then completes; meanwhile
// everybody gets right answers.
func TestDiskFullUnderLoad(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, unlimited...)
	c := s.gather(4, adminOfAcme, always())
	c.awaitAnswers("at first")
	before := s.scrape()
	conn := s.connection()
	for n, row := range []struct{ table, said string }{
		{"messages", "can't take a batch; trying again"},
		{"stats_cells", "can't compute the cells; trying again"},
	} {
		alter := func(change string) {
			if err := conn.Exec(t.Context(), "ALTER TABLE "+row.table+" "+change); err != nil {
				t.Fatal(err)
			}
		}
		alter("MODIFY SETTING min_free_disk_bytes_to_perform_insert = 1000000000000000000")
		load := s.start("load", s.write(row.table+".ndjson", manyMessages("org_full", n)))
		load.awaitText(&load.stderr, row.said)
		c.awaitAnswers("while the disk is full")
		alter("RESET SETTING min_free_disk_bytes_to_perform_insert")
		if o := load.end(); o.status != 0 {
			t.Errorf("the load ended with status %d: %s", o.status, o.stderr)
		}
		f := s.figures(auth.Caller{OrgID: "org_full", UserID: "user_full", Role: "org:admin"}, always())
		if want := uint64(n+1) * manyMessagesCount; f.MessageCount != want {
			t.Errorf("the figures are %+v, want those of %d messages", f, want)
		}
	}
	c.awaitAnswers("afterwards")
	expectOnly(t, c.stop(), http.StatusOK)
	if o := s.run("verify"); o.status != 0 {
		t.Errorf("verify finds differences: %s", o.stdout)
	}
	s.expectNoLeak(before)
}

// manyMessagesCount is more than a load considers few; for few messages it computes the cells with the batch.
const manyMessagesCount = 60_000

// manyMessages returns the records of the n-th conversation, with messages of several days.
func manyMessages(orgID string, n int) []byte {
	var lines bytes.Buffer
	fmt.Fprintf(&lines, `{"type":"conversation","id":"many%d","organizationId":%q,"userId":"user_full","createdAt":"2024-05-01T00:00:00Z"}`+"\n", n, orgID)
	for i := range manyMessagesCount {
		at := time.Date(2024, 5, 1, 0, 0, i*10, 0, time.UTC).Format(time.RFC3339)
		fmt.Fprintf(&lines, `{"type":"message","id":"many%d-%d","conversationId":"many%d","role":"user","parts":[],"createdAt":%q}`+"\n", n, i, n, at)
	}
	return lines.Bytes()
}

// expectNoLeak waits until the service has about as many goroutines, and as few connections, as before.
func (s *server) expectNoLeak(before map[string]float64) {
	s.Helper()
	s.client.CloseIdleConnections()
	const goroutines, connections, memory = "go_goroutines", "orgstats_http_connections", "process_resident_memory_bytes"
	var now map[string]float64
	if !enginetest.Eventually(func() bool {
		now = s.scrape()
		return now[goroutines] <= before[goroutines]+10 && now[connections] == 0
	}) {
		s.Errorf("%v goroutines and %v connections are left; before there were %v goroutines", now[goroutines], now[connections], before[goroutines])
	}
	if grown := now[memory] - before[memory]; grown > 256<<20 {
		s.Errorf("the service has %.0f MiB more than before", grown/(1<<20))
	}
}

// Clients that send too much, too slowly or nothing at all are disconnected, and others are not affected.
func TestBadClientsUnderLoad(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, unlimited...)
	c := s.gather(2, adminOfAcme, always())
	c.awaitAnswers("at first")
	before := s.scrape()
	token := s.token(adminOfAcme)
	head := "GET /api/dashboard/getStats?%s HTTP/1.1\r\nHost: test\r\nAuthorization: Bearer %s\r\n\r\n"
	var all sync.WaitGroup
	for _, row := range []struct{ why, sent, answer string }{
		{"connects and says nothing", "", ""},
		{"stops in the middle of a request", fmt.Sprintf(head, always().Encode(), token)[:60], "HTTP/1.1 408 "},
		{"100,000 parameters", fmt.Sprintf(head, strings.Repeat("a&", 100_000), token), "HTTP/1.1 400 "},
		{"parameters beyond the URL's limit", fmt.Sprintf(head, strings.Repeat("a=&", 104_000), token), "HTTP/1.1 414 "},
		{"a token of 1 MB", fmt.Sprintf(head, always().Encode(), strings.Repeat("t", 1<<20)), "HTTP/1.1 431 "},
		{"a token of 20 KB", fmt.Sprintf(head, always().Encode(), strings.Repeat("t", 20<<10)), "HTTP/1.1 401 "},
		{"speaks no HTTP", "hello\r\n\r\n", "HTTP/1.1 400 "},
	} {
		for range 10 {
			all.Go(func() {
				if got := s.send(row.sent); !strings.HasPrefix(got, row.answer) || row.answer == "" && got != "" {
					t.Errorf("who %s is answered %.60q, want %q", row.why, got, row.answer)
				}
			})
		}
	}
	all.Wait()
	c.awaitAnswers("afterwards")
	expectOnly(t, c.stop(), http.StatusOK)
	s.expectNoLeak(before)
}

// send writes a text to a connection of its own and returns what arrives until the service closes it, or has answered.
func (s *server) send(text string) string {
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(c, text); err != nil {
		return err.Error()
	}
	answer := make([]byte, 4096)
	n, err := io.ReadAtLeast(c, answer, len("HTTP/1.1 000 "))
	if n == 0 && err != io.EOF {
		return err.Error()
	}
	return string(answer[:n])
}
