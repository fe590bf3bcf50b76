package e2e

import (
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/service/stats"
)

// Random records load while the engine, the loader and the service are killed, and questions are asked all the time.
// Some can't be answered, but every answer is the plain query's, and after each time the oracle's.
// ORGSTATS_CHAOS_SEED repeats the records and who is killed, though not the moments; ORGSTATS_CHAOS_KILLS makes the
// test longer.
func TestAnswersWhileAnythingIsKilled(t *testing.T) {
	t.Parallel()
	seed, kills := variable(t, "ORGSTATS_CHAOS_SEED", uint64(time.Now().UnixNano())), variable(t, "ORGSTATS_CHAOS_KILLS", 6)
	t.Logf("ORGSTATS_CHAOS_SEED=%d ORGSTATS_CHAOS_KILLS=%d", seed, kills)
	k := newKiller(t, seed)
	k.load()
	k.checkQuestions(10)
	stop := k.watch(seed + 1)
	killed := map[string]int{}
	for n := range kills {
		if n%uint64(len(victims)) == 0 {
			k.generator.Shuffle(len(victims), func(i, j int) { k.victims[i], k.victims[j] = k.victims[j], k.victims[i] })
		}
		for _, victim := range k.round(k.victims[n%uint64(len(victims))]) {
			killed[victim]++
		}
		if t.Failed() {
			t.FailNow()
		}
	}
	t.Logf("%d answers were compared while %v were killed, and %d questions had no answer", stop(), killed, k.unanswered.Load())
	k.verify()
}

// victims are who is killed together.
var victims = [][]string{
	{"engine"}, {"loader"}, {"service"}, {"engine", "service"}, {"loader", "engine"}, {"service", "loader"},
}

// killer kills processes while records load.
type killer struct {
	*propertyDriver
	kept       *examiner // finds the engine whenever it runs
	victims    [][]string
	serving    atomic.Pointer[server]
	unanswered atomic.Int64
}

func newKiller(t *testing.T, seed uint64) *killer {
	t.Helper()
	i := install(t)
	options := engine.Options{DataDir: i.data()}
	e, err := engine.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	keeper := engine.Keep(e, options)
	conn, err := clickhouse.Open(t.Context(), e.URL(), clickhouse.Pool{MaxOpen: 2, MaxIdle: 2, Address: keeper.Address})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		if err := keeper.Close(); err != nil {
			t.Error(err)
		}
	})
	k := &killer{victims: slices.Clone(victims)}
	k.propertyDriver = &propertyDriver{server: i.serve(), generator: newGenerator(seed), oracle: newOracle()}
	k.kept = &examiner{k.server, conn, stats.NewStore(conn, stats.Options{Limits: clickhouse.Limits{Time: patience}})}
	k.serving.Store(k.server)
	return k
}

// round loads records, kills somebody meanwhile, and compares answers before and after they are loaded again.
func (k *killer) round(killed []string) []string {
	k.Helper()
	lines, spoilt := k.lines(200 + k.generator.IntN(400))
	path := k.store(lines)
	load := k.start(k.loadArguments([]string{path})...)
	select {
	case <-time.After(time.Duration(k.generator.IntN(2000)) * time.Millisecond): // any moment will do
	case <-load.exited:
	}
	for _, who := range killed {
		switch who {
		case "engine":
			killEngines(k.data())
		case "loader":
			load.kill()
		case "service":
			k.server.kill()
		}
	}
	if !k.server.running() {
		k.server = k.serve()
		k.kept.server = k.server
		k.serving.Store(k.server)
	}
	load.end() // it may have gone on, or have failed without the engine
	k.awaitReady(http.StatusOK)
	k.kept.awaitNoLoader()
	for range 5 {
		if !k.kept.compare(k.generator.asked(), true) {
			k.Error("somebody writes after the loader's end")
		}
	}
	k.checkLoad([]string{path}, len(lines)-spoilt, spoilt)
	k.checkQuestions(10)
	return killed
}

// watch compares answers as examiner.watch does, and lets everybody die meanwhile.
func (k *killer) watch(seed uint64) (stop func() (compared int)) {
	var n atomic.Int64
	stopping, stopped := make(chan struct{}), make(chan struct{})
	k.Cleanup(func() { <-stopped }) // a test that fails ends its context, and does not call stop
	g := newGenerator(seed)
	go func() {
		defer close(stopped)
		for k.Context().Err() == nil {
			select {
			case <-stopping:
				return
			case <-time.After(comparePace / 4):
			}
			if k.compareIfAnswered(g) {
				n.Add(1)
			}
		}
	}()
	return func() int {
		close(stopping)
		<-stopped
		return int(n.Load())
	}
}

// compareIfAnswered asks a question in both ways, and compares the answers if there are any, of the same moment.
func (k *killer) compareIfAnswered(g *generator) (compared bool) {
	a := g.asked()
	before, err := k.kept.lookUpCounter(a.caller.OrgID)
	if err != nil || before%2 == 1 {
		return false
	}
	got, err := k.serving.Load().tryAbout(a)
	switch {
	case err != nil || got.status == http.StatusServiceUnavailable:
		k.unanswered.Add(1)
		return false
	case got.status != http.StatusOK:
		k.Errorf("%v: status %d, %.500s", a, got.status, got.body)
		return false
	}
	q := understand(a)
	want, err := k.kept.store.Plain(k.Context(), questionOf(k.T, q))
	if err != nil {
		return false
	}
	if after, err := k.kept.lookUpCounter(a.caller.OrgID); err != nil || after != before {
		return false
	}
	checkSame(k.T, a, got.body, q.json(q.plain(want)))
	return true
}
