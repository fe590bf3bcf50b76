package e2e

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

// Records of all kinds come, change, move and vanish, one at a time, while services are asked that may return answers
// from before a change for a while, or not at all. Every answer is the plain query's at one moment, which lies between
// the question, less that while, and the answer.
//
// Each change is of one record, which is written at once, so that there is nothing between two moments: they are all
// known, and each has its own answers.
func TestAnswersAreOfOneMomentAndNotTooOld(t *testing.T) {
	t.Parallel()
	seed, changes := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano())), variable(t, "ORGSTATS_TEST_CHANGES", 2*changesInTurn)
	t.Logf("ORGSTATS_TEST_SEED=%d ORGSTATS_TEST_CHANGES=%d", seed, changes)
	i := install(t)
	i.engine() // else the first service starts it, and the others join
	c := &changer{generator: newGenerator(seed)}
	if o := i.runWith(joined(c.first()), "load", "-"); o.status != cli.ExitOK {
		t.Fatalf("load: status %d: %s", o.status, o.stderr)
	}
	services := []*agedService{
		{name: "at most 1s old", age: time.Second, flags: []string{"--cache-age=1s"}},
		{name: "never old", flags: []string{"--cache-age=0s"}},
		{name: "never old, of little memory", flags: []string{"--cache-age=0s", "--memory=20000"}},
	}
	for _, s := range services {
		s.server = i.serveWith(append(s.flags, append(unlimited, "--metrics-listen=127.0.0.1:0")...)...)
	}
	m := &moments{examiner: examine(services[0].server)}
	m.begin()
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	t.Cleanup(func() { cancel(); asking.Wait() })
	for n, s := range services {
		asking.Go(func() { s.askUntil(ctx, newGenerator(seed+uint64(n))) })
	}
	load := i.start("load", "--rejects", "rejects", "-")
	load.awaitText(&load.stderr, "joined the running engine")
	for range changes {
		m.next(func() { load.feed(append(mustMarshal(c.change()), '\n')) })
	}
	time.Sleep(2 * services[0].age) // what is asked now may only be of the last moment
	cancel()
	asking.Wait()
	if o := load.end(); o.status != cli.ExitOK {
		t.Errorf("load: status %d: %s", o.status, o.stderr)
	}
	for _, s := range services {
		m.judge(s)
	}
}

// agedQuestions are asked again and again. Their organization is the changer's.
var agedQuestions = func() (all []agedQuestion) {
	admin, user := auth.Caller{OrgID: "org_0", UserID: "user_1", Role: "org:admin"}, auth.Caller{OrgID: "org_0", UserID: "user_0", Role: "org:member"}
	for _, window := range [][2]string{
		{"1900-01-01T00:00:00Z", "2299-12-31T23:59:59.999Z"},
		{"2024-01-10T06:30:00Z", "2024-03-05T17:45:12.345Z"},
	} {
		for _, filter := range []url.Values{
			{},
			{"userId": {"user_0"}},
			{"agentId": {"agent_1"}},
			{"metadataKey": {"team"}, "metadataValue": {"red"}},
			{"metadataValue": {"red"}, "agentId": {"agent_1"}},
		} {
			query := url.Values{"from": {window[0]}, "to": {window[1]}, "allInOrg": {"true"}}
			for name, values := range filter {
				query[name] = values
			}
			all = append(all, agedQuestion{admin, query})
		}
		all = append(all, agedQuestion{user, url.Values{"from": {window[0]}, "to": {window[1]}}})
	}
	return all
}()

type agedQuestion struct {
	caller auth.Caller
	query  url.Values
}

// agedService is a service with the answers that it has given.
type agedService struct {
	*server
	name  string
	age   time.Duration // how old its answers may be
	flags []string

	mu       sync.Mutex
	readings []reading
}

// reading is an answer.
type reading struct {
	question        int // of agedQuestions
	asked, answered time.Time
	figures         stats.Figures
}

// askUntil asks until the context ends.
func (s *agedService) askUntil(ctx context.Context, g *generator) {
	for ctx.Err() == nil {
		question := g.IntN(len(agedQuestions))
		asks := agedQuestions[question]
		r := reading{question: question, asked: time.Now()}
		got, err := s.try(s.token(asks.caller), asks.query)
		r.answered = time.Now()
		if err != nil {
			if ctx.Err() == nil {
				s.Errorf("%s: %v", s.name, err)
			}
			return
		}
		if got.status != http.StatusOK {
			s.Errorf("%s: status %d: %s", s.name, got.status, got.body)
			return
		}
		r.figures = decode[stats.Figures](s.T, got.body)
		s.mu.Lock()
		s.readings = append(s.readings, r)
		s.mu.Unlock()
		time.Sleep(50 * time.Millisecond) // leaves the processors some time for what is asked
	}
}

// moment is what is true from one change to the next.
type moment struct {
	since   time.Time // nothing of it was written before
	until   time.Time // all of the next one was written then; zero: none follows
	figures []stats.Figures
}

// moments are all of them, in order.
type moments struct {
	*examiner
	all []moment
}

func (m *moments) begin() {
	m.all = []moment{{figures: m.plainFigures()}}
}

// changePace is the least time between two changes: with more of them in the age of an answer, it could be of most of
// the moments, and show little.
const changePace = 400 * time.Millisecond

// next makes a change and waits until it is written, which the organization's change counter tells at less cost than
// the plain query. That must see it then.
func (m *moments) next(change func()) {
	m.Helper()
	last, pace := &m.all[len(m.all)-1], time.After(changePace)
	before, next := m.counter("org_0"), moment{since: time.Now()}
	change()
	if !enginetest.Eventually(func() bool {
		now := time.Now()
		counter := m.counter("org_0")
		if counter == before {
			next.since = now
		}
		return counter > before && counter%2 == 0
	}) {
		m.Fatal("a change is not written")
	}
	last.until = time.Now()
	if next.figures = m.plainFigures(); slices.Equal(next.figures, last.figures) {
		m.Error("the plain query does not see a change")
	}
	m.all = append(m.all, next)
	<-pace
}

// plainFigures returns the plain query's answers to all questions.
func (m *moments) plainFigures() (all []stats.Figures) {
	m.Helper()
	for _, asks := range agedQuestions {
		a, err := m.store.Plain(m.Context(), questionOf(m.T, understand(asked{asks.caller, statsPath, asks.query})))
		if err != nil {
			m.Fatal(err)
		}
		all = append(all, a.Figures())
	}
	return all
}

// judge compares the answers of a service with those that it may give. Most could be of few of the moments only, so
// that they show something.
func (m *moments) judge(s *agedService) {
	m.Helper()
	older, telling := 0, 0
	for _, r := range s.readings {
		possible := m.possible(r, s.age)
		if !slices.Contains(possible, r.figures) {
			asks := agedQuestions[r.question]
			m.Errorf("%s: %v asks %s, and is answered\n%+v; possible are\n%+v; it is right at the moments %v of %d",
				s.name, asks.caller, asks.query.Encode(), r.figures, possible, m.rightAt(r), len(m.all))
		}
		if r.figures != possible[len(possible)-1] {
			older++
		}
		if len(possible) <= len(m.all)/3 {
			telling++
		}
	}
	hits := 0.0
	for series, n := range s.scrape() {
		if strings.HasPrefix(series, "orgstats_cache_requests_total{") && strings.HasSuffix(series, `result="hit"}`) {
			hits += n
		}
	}
	m.Logf("%s: %d answers, %v from memory alone; %d are older than the newest possible, and %d could be of few moments only",
		s.name, len(s.readings), hits, older, telling)
	if telling < len(s.readings)/2 || len(s.readings) < len(m.all) {
		m.Errorf("%s: too few answers show anything: %d of %d", s.name, telling, len(s.readings))
	}
}

// possible returns the answers of the moments that touch the time from the question, less an age, to the answer.
func (m *moments) possible(r reading, age time.Duration) (all []stats.Figures) {
	for _, moment := range m.all {
		if moment.since.Before(r.answered) && (moment.until.IsZero() || moment.until.After(r.asked.Add(-age))) {
			all = append(all, moment.figures[r.question])
		}
	}
	return all
}

// rightAt returns the moments at which an answer is right.
func (m *moments) rightAt(r reading) (all []int) {
	for n, moment := range m.all {
		if moment.figures[r.question] == r.figures {
			all = append(all, n)
		}
	}
	return all
}

// changer makes changes of one record each, of which every one changes an answer to one of agedQuestions.
type changer struct {
	*generator
	changes  int
	versions int
	now      map[string]object // the records that change, by name
}

// changesInTurn is how many kinds of changes there are, which are made in turn.
const changesInTurn = 9

// first returns the records before the first change.
func (c *changer) first() (lines [][]byte) {
	c.now = map[string]object{}
	for user := range 3 {
		lines = append(lines, mustMarshal(object{
			"type": "member", "organizationId": "org_0", "userId": fmt.Sprint("user_", user), "publicMetadata": object{"team": "blue"}, "updatedAt": c.version(),
		}))
		// Two agents, and none.
		id := fmt.Sprint("stays_", user)
		lines = append(lines, mustMarshal(c.conversation(id, user, pick[any](c.generator, nil, "agent_1", "agent_2"))))
		for n := range 5 {
			lines = append(lines, mustMarshal(c.message(fmt.Sprint(id, "_", n), id)))
		}
	}
	for _, name := range []string{"moves", "vanishes", "ends", "changes user", "changes organization"} {
		c.now[name+": conversation"] = c.conversation(name, 0, "agent_1")
		c.now[name+": message"] = c.message(name, name)
	}
	c.now["member"] = object{"type": "member", "organizationId": "org_0", "userId": "user_0", "publicMetadata": object{"team": "red"}, "updatedAt": c.version()}
	c.now["file"] = object{"type": "kbFile", "id": "file", "organizationId": "org_0", "knowledgeBaseId": "base", "createdAt": c.instant(), "updatedAt": c.version()}
	for _, name := range slices.Sorted(maps.Keys(c.now)) {
		lines = append(lines, mustMarshal(c.now[name]))
	}
	return lines
}

// change returns the next change.
func (c *changer) change() object {
	c.changes++
	kind := c.changes % changesInTurn
	name := []string{
		"moves: message", "vanishes: message", "member", "changes user: conversation", "changes organization: conversation",
		"file", "", "", "ends: conversation",
	}[kind]
	r := c.now[name]
	switch kind {
	case 0:
		r["createdAt"] = c.instant()
		r["usage"] = c.usage()
	case 1, 8:
		if r["deletedAt"] == nil {
			r["deletedAt"] = r["createdAt"]
		} else {
			delete(r, "deletedAt")
		}
	case 2:
		r["publicMetadata"] = object{"team": other(r["publicMetadata"].(object)["team"], "red", "blue")}
	case 3:
		r["userId"] = other(r["userId"], "user_0", "user_2")
	case 4:
		r["organizationId"] = other(r["organizationId"], "org_0", "org_1")
	case 5:
		r["createdAt"], r["extractInputTokens"] = c.instant(), c.changes
	case 6, 7:
		id := fmt.Sprint("stays_", c.IntN(3))
		return c.message(fmt.Sprint("new_", c.changes), id)
	}
	r["updatedAt"] = c.version()
	return r
}

// other returns the other one of two values.
func other(value, a, b any) any {
	if value == a {
		return b
	}
	return a
}

func (c *changer) conversation(id string, user int, agent any) object {
	return object{
		"type": "conversation", "id": id, "organizationId": "org_0", "userId": fmt.Sprint("user_", user), "agentId": agent,
		"createdAt": c.instant(), "updatedAt": c.version(),
	}
}

func (c *changer) message(id, conversation string) object {
	return object{
		"type": "message", "id": id, "conversationId": conversation, "role": "user", "createdAt": c.instant(), "usage": c.usage(),
		"updatedAt": c.version(),
	}
}

// instant returns a time in the months that are asked about, in one of few hours.
func (c *changer) instant() string {
	day := time.Date(2024, time.Month(1+c.IntN(3)), 1+c.IntN(28), 6*c.IntN(4), 0, 0, 0, time.UTC)
	return day.Add(time.Duration(c.IntN(3600_000)) * time.Millisecond).Format(time.RFC3339Nano)
}

// usage returns as many tokens as no other message has.
func (c *changer) usage() object {
	c.versions++
	return object{"inputTokens": 1000*c.versions + c.IntN(1000), "outputTokens": 1}
}

// version returns a time later than all before.
func (c *changer) version() string {
	c.versions++
	return time.Date(2025, 1, 1, 0, 0, c.versions, 0, time.UTC).Format(time.RFC3339)
}
