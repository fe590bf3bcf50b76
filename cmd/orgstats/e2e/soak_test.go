package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/service/auth"
)

// soakVariable, in the environment, sets how long the soak takes.
const soakVariable = "ORGSTATS_TEST_SOAK"

// flatAfter is how long a soak must be to judge whether memory grows, because caches and allocators fill up first.
const flatAfter = 2 * time.Minute

// A service is asked continuously while a loader changes records of all kinds. Nothing fails, answers are exact
// throughout and at the end, and no resource usage grows.
func TestSoak(t *testing.T) {
	t.Parallel()
	s := newSoak(t)
	s.write("sample", s.text)
	s.loadRecords("sample")
	s.serve()
	load := s.start("load", "--rejects", "rejects", "-")
	load.awaitText(&load.stderr, "joined the running engine")
	s.readWhile("loader", load, func(records []object) error {
		var lines []byte
		for _, r := range records {
			lines = append(append(lines, mustMarshal(r)...), '\n')
		}
		_, err := load.stdin.Write(lines)
		return err
	})
	if o := load.end(); o.status != cli.ExitOK {
		t.Errorf("load: status %d: %s", o.status, load.stderr.lastWords())
	}
	t.Logf("%d changes were loaded:\n%s", s.changes, load.stdout.lastWords())
	s.checkEnd()
}

// serve starts the service as in production, except for the rate limits, because the soak has few users.
func (s *soak) serve() {
	s.Helper()
	s.server = s.listening("serve", "--dev-auth", "--user-rate=0", "--organization-rate=0", "--listen", "127.0.0.1:0")
	key, err := auth.OpenDevKey(s.data())
	if err != nil {
		s.Fatal(err)
	}
	s.server.key = key
}

// readWhile asks the service for the duration of the soak, while changes go to the writer, and judges both.
func (s *soak) readWhile(name string, writer *process, write func([]object) error) {
	s.Helper()
	reader := s.start("loadtest", "--url", "http://"+s.server.address, "--rate", "5", "--duration", s.duration.String(), "--verify", "--json", "report.json")
	watched := []*usage{s.watch("service", s.server.command.Process.Pid), s.watch("engine", s.engines()[0]), s.watch(name, writer.command.Process.Pid)}
	s.feed(write, reader)
	read := reader.wait()
	for _, u := range watched {
		u.judge(s.duration)
	}
	s.checkReader(read)
}

// checkEnd checks everything once nothing is written anymore.
func (s *soak) checkEnd() {
	s.Helper()
	s.checkAnswers(int(min(100, 2*s.duration/time.Second)))
	if o := s.run("verify"); o.status != cli.ExitOK {
		s.Errorf("verify: status %d: %s", o.status, o.stdout)
	}
}

func soakTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv(soakVariable)
	if text == "" {
		text = "10s"
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second {
		t.Fatalf("%s is %q; it is a time such as 10m, of at least a second", soakVariable, text)
	}
	return d
}

// soak is a running service, and what is known about its records.
type soak struct {
	*installation
	server        *server // once it runs
	duration      time.Duration
	random        *rand.Rand
	oracle        *oracle
	text          []byte // the sample records
	organizations []sample.Organization
	records       map[string][]object // by organization
	turn          string              // the organization whose records are changed now
	changes       int
}

// soakDays is the span of a soak's sample records, which are of a past month.
const soakDays = 30

var soakUntil = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// newSoak generates the sample records, which are not loaded yet.
func newSoak(t *testing.T) *soak {
	t.Helper()
	duration := soakTime(t)
	var text bytes.Buffer
	summary, err := sample.Write(t.Context(), &text, sample.Options{Seed: 3, Messages: 5000, Organizations: 5, Days: soakDays, Until: soakUntil})
	if err != nil {
		t.Fatal(err)
	}
	s := &soak{
		installation: install(t), duration: duration, random: rand.New(rand.NewPCG(uint64(duration), 0)), oracle: newOracle(),
		text: text.Bytes(), organizations: summary.Organizations, records: map[string][]object{},
	}
	for line := range bytes.Lines(s.text) {
		s.oracle.take(line)
		var r object
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.UseNumber()
		if err := decoder.Decode(&r); err != nil {
			t.Fatal(err)
		}
		orgID := r.text("organizationId")
		if r["type"] == "message" {
			orgID = s.oracle.conversation(r).text("organizationId")
		}
		s.records[orgID] = append(s.records[orgID], r)
	}
	return s
}

const (
	feedEvery = 100 * time.Millisecond
	feedLines = 5 // at a time
	// turnTime is how long one organization's records are changed. The others do not change, so that their answers can
	// be compared with the plain query's.
	turnTime = 3 * time.Second
)

// feed changes records, of one organization after the other, until the reader has ended.
func (s *soak) feed(write func([]object) error, reader *process) {
	s.Helper()
	ticker := time.NewTicker(feedEvery)
	defer ticker.Stop()
	for began := time.Now(); reader.running(); {
		s.turn = s.organizations[int(time.Since(began)/turnTime)%len(s.organizations)].ID
		var changed []object
		for range feedLines {
			r := s.change()
			s.oracle.take(mustMarshal(r))
			changed = append(changed, maps.Clone(r))
		}
		if err := write(changed); err != nil {
			s.Fatalf("changes can't be written: %v", err)
		}
		select {
		case <-reader.exited:
		case <-ticker.C:
		}
	}
}

// change returns a newer version of a record.
func (s *soak) change() object {
	s.changes++
	all := s.records[s.turn]
	r := all[s.random.IntN(len(all))]
	// Each change is newer than all before it.
	r["updatedAt"] = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s.changes) * time.Millisecond).Format(time.RFC3339Nano)
	switch n := s.random.IntN(10); {
	case n == 0:
		r["deletedAt"] = r["updatedAt"]
	case n < 4:
		delete(r, "deletedAt")
	}
	switch r["type"] {
	case "conversation":
		org := s.organizations[s.random.IntN(len(s.organizations))]
		r["agentId"] = []any{nil, org.TopAgentID, "agent-of-the-soak"}[s.random.IntN(3)]
	case "message":
		r["usage"] = object{"inputTokens": s.random.IntN(5000), "outputTokens": s.random.IntN(500)}
		r["feedback"] = []any{nil, "helpful", "not_helpful"}[s.random.IntN(3)]
		if s.random.IntN(4) == 0 {
			r["createdAt"] = s.instant().Format(time.RFC3339Nano)
		}
	case "kbFile":
		r["extractInputTokens"], r["extractOutputTokens"], r["extractTotalTokens"] = s.random.IntN(5000), s.random.IntN(500), nil
	case "member":
		r["publicMetadata"] = object{"department": []string{"Finance", "Legal"}[s.random.IntN(2)], "beta": s.random.IntN(2) == 0}
	}
	return r
}

// instant returns a random instant within the records' time.
func (s *soak) instant() time.Time {
	return soakUntil.Add(-time.Duration(s.random.Int64N(int64(soakDays * 24 * time.Hour)))).Truncate(time.Millisecond)
}

// busy is how late requests are sent on a machine that is too busy to measure how fast a service is.
const busy = time.Second

// checkReader judges what the load test has found: nothing may be wrong, and nothing may fail, unless the machine is so
// busy that it can't even send a few requests per second in time.
func (s *soak) checkReader(o outcome) {
	s.Helper()
	r := s.report("report.json")
	s.Logf("%d requests answered, p50 %.1f ms, p99 %.1f ms, %d shed, statuses %v; compared %d, left out %d", r.Run.Answered.Count,
		r.Run.Answered.P50, r.Run.Answered.P99, r.Run.Shed.Count, r.Run.Statuses, r.Verified.Compared, r.Verified.Changing)
	if r.Verified.Different > 0 || len(r.Run.Malformed) > 0 || r.Run.Answered.Count == 0 {
		s.Errorf("loadtest: %s%s", o.stdout, o.stderr)
	}
	if late := time.Duration(r.Run.Late * float64(time.Millisecond)); late > busy {
		s.Logf("the machine is too busy to judge by: requests were sent %s late", late.Round(time.Millisecond))
		return
	}
	if o.status != cli.ExitOK || r.Verified.Compared == 0 {
		s.Errorf("loadtest: status %d: %s%s", o.status, o.stdout, o.stderr)
	}
	if said := s.server.stderr.String(); r.Run.Shed.Count == 0 && strings.Contains(said, "level=ERROR") {
		s.Errorf("the service reports errors: %s", s.server.stderr.lastWords())
	}
}

// checkAnswers compares answers with the oracle's. For a moment the cache may still return some from before the last
// change, and a busy service may refuse to answer.
func (s *soak) checkAnswers(n int) {
	s.Helper()
	for range n {
		caller, query := s.question()
		want := s.oracle.answer(caller, query)
		var got answer
		if !enginetest.Eventually(func() bool {
			got = s.server.ask(s.server.token(caller), query)
			return got.status == http.StatusOK && maps.Equal(decode[figures](s.T, got.body), want)
		}) {
			s.Errorf("%v asks %s: status %d\n got %s\nwant %v", caller, query.Encode(), got.status, got.body, want)
		}
	}
}

// question returns a question about one of the organizations.
func (s *soak) question() (auth.Caller, url.Values) {
	org := s.organizations[s.random.IntN(len(s.organizations))]
	from, to := s.instant(), s.instant()
	if from.After(to) {
		from, to = to, from
	}
	q := url.Values{"from": {from.Format(time.RFC3339Nano)}, "to": {to.Format(time.RFC3339Nano)}}
	caller := auth.Caller{OrgID: org.ID, UserID: org.MemberUserID, Role: "org:member"}
	if s.random.IntN(3) > 0 {
		caller = auth.Caller{OrgID: org.ID, UserID: org.AdminUserID, Role: "org:admin"}
		q.Set("allInOrg", "true")
	}
	switch s.random.IntN(4) {
	case 0:
		q.Set("agentId", org.TopAgentID)
	case 1:
		chosen := sample.MetadataFilters[s.random.IntN(len(sample.MetadataFilters))]
		q.Set("metadataKey", chosen.Key)
		q.Set("metadataValue", fmt.Sprint(chosen.Value))
	}
	return caller, q
}
