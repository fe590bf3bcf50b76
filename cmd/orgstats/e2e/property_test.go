package e2e

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/loader/compresstest"
)

// Random records are loaded in many runs, and after each of them every answer must equal the oracle's. Meanwhile a
// reader asks continuously, and compares the answers with the plain query's. The variables ORGSTATS_TEST_SEED and
// ORGSTATS_TEST_ROUNDS repeat a failure, or make the test longer.
func TestAnswersEqualAPlainComputation(t *testing.T) {
	t.Parallel()
	seed, rounds := variable(t, "ORGSTATS_TEST_SEED", uint64(time.Now().UnixNano())), variable(t, "ORGSTATS_TEST_ROUNDS", 6)
	t.Logf("ORGSTATS_TEST_SEED=%d ORGSTATS_TEST_ROUNDS=%d", seed, rounds)
	memory := []string{"--memory=0", "--memory=20000", "--memory=536870912"}[seed%3]
	t.Logf("the service has %s", memory)
	d := &propertyDriver{server: install(t).serveWith(append(unlimited, memory)...), generator: newGenerator(seed), oracle: newOracle()}
	stop := examine(d.server).watch(seed + 1)
	analyst := d.analyst()
	for range rounds {
		d.load()
		d.checkQuestions(20)
		d.checkGrouped(12)
		d.checkViews(analyst)
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d answers were compared while records came", stop())
	checkDays(t, analyst, []string{"org_0", "org_1", "org_2"}, d.oracle.answer)
}

func variable(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// propertyDriver passes the same records and questions to the program and the oracle.
type propertyDriver struct {
	*server
	generator *generator
	oracle    *oracle
	loads     int
}

// load loads new records, in one run or, when the loader is killed, in two, and checks the summary.
func (d *propertyDriver) load() {
	d.Helper()
	g := d.generator
	var paths []string
	records, wrong := 0, 0
	d.oracle.startLoad()
	for range 1 + g.IntN(3) {
		lines, spoilt := d.lines(1 + g.IntN(200))
		records, wrong = records+len(lines)-spoilt, wrong+spoilt
		paths = append(paths, d.store(lines))
	}
	if g.chance(0.2) {
		d.killLoad(paths, time.Duration(g.IntN(400))*time.Millisecond)
	}
	d.checkLoad(paths, records, wrong)
	if g.chance(0.2) {
		// Among equal versions the last one wins: two that a slow load takes in different batches both win once more.
		if again, most := d.checkLoad(paths, records, wrong).loaded, 2*d.oracle.ties; again > most {
			d.Errorf("the same records again: loaded %d, want at most %d", again, most)
		}
	}
}

// lines generates lines, and applies those that are records to the oracle.
func (d *propertyDriver) lines(n int) (lines [][]byte, wrong int) {
	for range n {
		line, isWrong := d.generator.line()
		lines = append(lines, line)
		if isWrong {
			wrong++
		} else {
			d.oracle.take(line)
		}
	}
	return lines, wrong
}

// store writes lines to a file of any supported kind.
func (d *propertyDriver) store(lines [][]byte) (path string) {
	d.Helper()
	g := d.generator
	text := bytes.Join(lines, []byte(pick(g, "\n", "\r\n", "\n\n")))
	switch g.IntN(4) {
	case 0:
		text = compresstest.Gzip(d.T, text)
	case 1:
		text = compresstest.Zstd(d.T, text)
	case 2:
		text = append(text, '\n')
	}
	d.loads++
	return d.write(fmt.Sprintf("records-%d", d.loads), text)
}

// killLoad starts a load and kills it after a time.
func (d *propertyDriver) killLoad(paths []string, after time.Duration) {
	d.Helper()
	p := d.start(d.loadArguments(paths)...)
	select {
	case <-p.exited:
	case <-time.After(after):
		p.kill()
	}
}

func (d *propertyDriver) loadArguments(paths []string) []string {
	d.loads++
	return append([]string{"load", "--rejects", fmt.Sprintf("rejects-%d", d.loads)}, paths...)
}

// checkLoad loads files and compares the summary with what is known about them.
func (d *propertyDriver) checkLoad(paths []string, records, wrong int) counts {
	d.Helper()
	return d.checkSummary(d.run(d.loadArguments(paths)...), records, wrong)
}

// checkSummary compares what a load said with what is known about its records.
func (d *propertyDriver) checkSummary(o outcome, records, wrong int) counts {
	d.Helper()
	if want := map[bool]int{false: cli.ExitOK, true: cli.ExitRejected}[wrong > 0]; o.status != want {
		d.Fatalf("load: status %d, want %d: %s", o.status, want, o.stderr)
	}
	got := summaryOf(d.T, o.stdout).total()
	if got.read != records+wrong || got.rejected != wrong || got.loaded+got.unchanged != records {
		d.Errorf("summary %+v of %d records and %d wrong lines", got, records, wrong)
	}
	if waiting := d.oracle.waiting(); got.waiting != waiting {
		d.Errorf("waiting %d, want %d", got.waiting, waiting)
	}
	return got
}

// checkQuestions asks some questions and compares each answer with the oracle's.
func (d *propertyDriver) checkQuestions(n int) {
	d.Helper()
	for range n {
		caller, query := d.generator.question()
		got := d.ask(d.token(caller), query)
		if got.status != http.StatusOK {
			d.Errorf("%v asks %v: status %d, %s", caller, query.Encode(), got.status, got.body)
			continue
		}
		want := d.oracle.answer(caller, query)
		if answered := decode[figures](d.T, got.body); !maps.Equal(answered, want) {
			d.Errorf("%v asks %v:\n got %v\nwant %v", caller, query.Encode(), answered, want)
		}
	}
}
