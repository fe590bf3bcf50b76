package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/loader/compresstest"
	"github.com/orgstats/orgstats/service/auth"
)

// contract is the set of records and answers that the program must satisfy.
type contract struct {
	Records  []string
	Rejected int
	Waiting  int
	Cases    []contractCase
}

type contractCase struct {
	Name   string
	Caller *struct{ OrganizationID, UserID, Role string } // nil: without a token
	Query  map[string]string
	Status int
	Error  string
	Body   json.RawMessage
}

func contractPath(name string) string { return repositoryFile("testdata", "contract", name) }

func readContract(t *testing.T) (c contract) {
	t.Helper()
	text, err := os.ReadFile(contractPath("cases.json"))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Cases) == 0 {
		t.Fatal("the contract has no cases")
	}
	return c
}

// lines returns the records of all files, in their order.
func (c *contract) lines(t *testing.T) [][]byte {
	t.Helper()
	var lines [][]byte
	for _, name := range c.Records {
		text, err := os.ReadFile(contractPath(name))
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(name, ".gz") {
			text = compresstest.Gunzip(t, text)
		}
		lines = append(lines, bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))...)
	}
	return lines
}

func (c *contract) shuffled(t *testing.T, seed uint64) [][]byte {
	lines := c.lines(t)
	rand.New(rand.NewPCG(seed, seed)).Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return lines
}

func joined(lines [][]byte) []byte { return append(bytes.Join(lines, []byte("\n")), '\n') }

// checkLoad checks a load of the whole set. When it is not the first, it must change nothing.
func (c *contract) checkLoad(t *testing.T, o outcome, first bool) {
	t.Helper()
	if o.status != cli.ExitRejected {
		t.Fatalf("load: status %d, want %d: %s%s", o.status, cli.ExitRejected, o.stdout, o.stderr)
	}
	got := summaryOf(t, o.stdout).total()
	if got.rejected != c.Rejected || got.waiting != c.Waiting {
		t.Errorf("rejected %d, waiting %d, want %d and %d", got.rejected, got.waiting, c.Rejected, c.Waiting)
	}
	if got.read != got.loaded+got.unchanged+got.rejected {
		t.Errorf("the summary does not add up: %+v", got)
	}
	if first != (got.loaded > 0) {
		t.Errorf("loaded %d of a set of which all was loaded before: %v", got.loaded, !first)
	}
}

// checkCases asks every case, some with tokens that the command signs; one process for each would take too long.
func (c contract) checkCases(t *testing.T, s *server) {
	t.Helper()
	for n, k := range c.Cases {
		query := url.Values{}
		for name, value := range k.Query {
			query.Set(name, value)
		}
		token := ""
		if caller := k.Caller; caller != nil {
			sign := s.token
			if n%100 == 0 {
				sign = s.commandToken
			}
			token = sign(auth.Caller{OrgID: caller.OrganizationID, UserID: caller.UserID, Role: caller.Role})
		}
		got := s.ask(token, query)
		if got.status != k.Status {
			t.Errorf("%s: status %d, want %d: %s", k.Name, got.status, k.Status, got.body)
		}
		if k.Body != nil && got.body != compact(t, k.Body) {
			t.Errorf("%s: got %s, want %s", k.Name, got.body, compact(t, k.Body))
		}
		if k.Status >= 400 {
			checkError(t, k.Name, got.body, k.Error)
		}
	}
}

// some returns the contract with every fourth case, from any of the first four on: for services that were asked all of
// them before a load that changed nothing.
func (c contract) some(t *testing.T) contract {
	t.Helper()
	const share = 4
	first := rand.IntN(share)
	t.Logf("every fourth case is asked again, from number %d on", first)
	all := c.Cases
	c.Cases = nil
	for n := first; n < len(all); n += share {
		c.Cases = append(c.Cases, all[n])
	}
	return c
}

// compact returns JSON without white space, with its fields in their order.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, text); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func checkError(t *testing.T, name, body, want string) {
	t.Helper()
	got := decode[struct {
		Error   string
		Details []struct{ Path, Message string }
	}](t, body)
	if got.Error == "" || want != "" && got.Error != want {
		t.Errorf("%s: error %q, want %q", name, got.Error, want)
	}
}

// commandToken returns the token that the command prints.
func (s *server) commandToken(caller auth.Caller) string {
	s.Helper()
	arguments := []string{"token", "--user", caller.UserID}
	if caller.OrgID != "" {
		arguments = append(arguments, "--org", caller.OrgID, "--role", caller.Role)
	}
	o := s.run(arguments...)
	if o.status != cli.ExitOK {
		s.Fatalf("%q: status %d: %s", arguments, o.status, o.stderr)
	}
	return strings.TrimSpace(o.stdout)
}

// The second time, the contract's questions are answered from memory alone.
func TestContractInTheGivenOrder(t *testing.T) {
	t.Parallel()
	c, i := readContract(t), install(t)
	var paths []string
	for _, name := range c.Records {
		path, err := filepath.Abs(contractPath(name))
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	c.checkLoad(t, i.run(append([]string{"load"}, paths...)...), true)
	s := i.serveWith(append(unlimited, "--metrics-listen=127.0.0.1:0")...)
	c.checkCases(t, s)
	before := s.scrape()[fetchesMetric]
	c.checkCases(t, s)
	if after := s.scrape()[fetchesMetric]; before == 0 || after != before {
		t.Errorf("the same questions again fetch %v times more than the %v times before", after-before, before)
	}
	c.checkLoad(t, i.run(append([]string{"load"}, paths...)...), false)
	c.some(t).checkCases(t, s)
}

// The service has so little memory that it evicts something all the time.
func TestContractShuffled(t *testing.T) {
	t.Parallel()
	c, i := readContract(t), install(t)
	lines := c.shuffled(t, 1)
	third := len(lines) / 3
	i.write("a", compresstest.Gzip(t, joined(lines[:third])))
	i.write("b", compresstest.Zstd(t, joined(lines[third:2*third])))
	input := compresstest.Gzip(t, joined(lines[2*third:]))
	s := i.serveWith(append(unlimited, "--metrics-listen=127.0.0.1:0", "--memory=20000")...)
	c.checkLoad(t, i.runWith(input, "load", "a", "b", "-"), true)
	c.checkCases(t, s)
	slices.Reverse(lines)
	c.checkLoad(t, i.runWith(joined(lines), "load", "-"), false)
	c.some(t).checkCases(t, s)
	s.expectEvictions(17_500) // seven eighths
}

const fetchesMetric = "orgstats_fetches_total"

// expectEvictions checks that a service has kept to a bound of its memory that is too small for what it was asked.
func (s *server) expectEvictions(bound float64) {
	s.Helper()
	if now := s.scrape(); now["orgstats_memory_evictions_total"] == 0 || now["orgstats_memory_bytes"] > bound || now["orgstats_memory_bytes_max"] != bound {
		s.Errorf("%v of %v bytes are held after %v evictions", now["orgstats_memory_bytes"], bound, now["orgstats_memory_evictions_total"])
	}
}

// The set is loaded repeatedly, and the loader is killed each time: before anything is written, while the engine lives
// on, and such that the engine dies with it. The service keeps nothing in memory.
func TestContractShuffledAndKilled(t *testing.T) {
	t.Parallel()
	c, i := readContract(t), install(t)
	lines := c.shuffled(t, 2)
	i.write("all", joined(lines))
	rng := rand.New(rand.NewPCG(3, 3))

	cut := i.start("load", "-")
	if _, err := cut.stdin.Write(joined(lines[:len(lines)/2])); err != nil {
		t.Fatal(err)
	}
	cut.kill()

	killWhileTheEngineLives(t, i, rng)
	for n := range 4 {
		p := i.start("load", "--rejects", fmt.Sprint("engine-dies-", n), "all")
		p.awaitText(&p.stderr, `started the engine`)
		time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond) // any moment will do
		p.kill()
		i.expectNoEngine()
	}

	o := i.run("load", "--rejects", "last", "all")
	if got := summaryOf(t, o.stdout).total(); o.status != cli.ExitRejected || got.rejected != c.Rejected || got.waiting != c.Waiting {
		t.Errorf("status %d, %+v, want %d rejected and %d waiting: %s", o.status, got, c.Rejected, c.Waiting, o.stderr)
	}
	s := i.serveWith(append(unlimited, "--metrics-listen=127.0.0.1:0", "--memory=0")...)
	c.checkCases(t, s)
	c.checkLoad(t, i.run("load", "--rejects", "again", "all"), false)
	c.some(t).checkCases(t, s)
	s.expectEvictions(0)
}

// killWhileTheEngineLives kills loaders until three of them have left a batch half written.
func killWhileTheEngineLives(t *testing.T, i *installation, rng *rand.Rand) {
	t.Helper()
	e := i.engine()
	conn, err := clickhouse.Open(t.Context(), e.URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	step := func() (step uint64) {
		// The table may not exist yet.
		_ = conn.QueryRow(t.Context(), "SELECT max(step) FROM batches").Scan(&step)
		return step
	}
	halfWritten := 0
	for attempt := 0; halfWritten < 3; attempt++ {
		if attempt == 30 {
			t.Fatalf("of %d loaders that were killed while they wrote, %d left a batch half written", attempt, halfWritten)
		}
		before := step()
		p := i.start("load", "--rejects", fmt.Sprint("engine-lives-", attempt), "all")
		if !enginetest.Eventually(func() bool { return step() > before || !p.running() }) {
			t.Fatal("the load writes nothing")
		}
		time.Sleep(time.Duration(rng.IntN(100)) * time.Millisecond) // any moment will do
		p.kill()
		if after := step(); after > before && after%2 == 0 { // begun, not finished
			halfWritten++
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}
