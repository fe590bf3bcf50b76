package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

// examiner compares the service's answers with the plain query's on the data of the same moment. A load in between
// can't mislead it: an organization's change counter rises with every change and is odd while one is being written, so
// that both answers belong to one moment if the counter was the same before and after, and is even or nobody writes.
type examiner struct {
	*server
	conn  clickhouse.Conn
	store *stats.Store
}

func examine(s *server) *examiner {
	s.Helper()
	conn, err := clickhouse.Open(s.Context(), s.engine().URL(), clickhouse.Pool{MaxOpen: 2, MaxIdle: 2})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = conn.Close() })
	return &examiner{s, conn, stats.NewStore(conn, stats.Options{Limits: clickhouse.Limits{Time: patience}})}
}

// compare asks in both ways. It returns false if the organization changed meanwhile, so that the answers can't be
// compared.
func (e *examiner) compare(caller auth.Caller, query url.Values, quiet bool) (compared bool) {
	e.Helper()
	before := e.counter(caller.OrgID)
	got := e.ask(e.token(caller), query)
	want, err := e.store.Plain(e.Context(), questionOf(e.T, caller, query))
	if err != nil {
		e.Error(err)
		return false
	}
	if after := e.counter(caller.OrgID); before != after || before%2 == 1 && !quiet {
		return false
	}
	if got.status != http.StatusOK {
		e.Errorf("%v asks %v: status %d, %s", caller, query.Encode(), got.status, got.body)
	} else if answered := decode[stats.Figures](e.T, got.body); answered != want.Figures() {
		e.Errorf("%v asks %v:\n  answered %+v\nplain query %+v", caller, query.Encode(), answered, want.Figures())
	}
	return true
}

// counter returns an organization's change counter.
func (e *examiner) counter(orgID string) (counter uint64) {
	e.Helper()
	counter, err := e.lookUpCounter(orgID)
	if err != nil {
		e.Error(err)
	}
	return counter
}

func (e *examiner) lookUpCounter(orgID string) (counter uint64, err error) {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	params.Int64("hour", cells.CounterHour)
	row := e.conn.QueryRow(clickhouse.WithParams(e.Context(), params),
		"SELECT max(step) FROM stale_hours WHERE org_id = {org_id:String} AND hour = {hour:Int32}")
	err = row.Scan(&counter)
	return counter, err
}

// questionOf returns the question of a caller who may ask it.
func questionOf(t *testing.T, caller auth.Caller, query url.Values) stats.Question {
	t.Helper()
	everything := maps.Clone(query)
	everything.Set("allInOrg", "true")
	q, err := service.ReadQuestion("getStats", auth.Caller{OrgID: caller.OrgID, Role: "org:admin"}, everything)
	if err != nil {
		t.Error(err)
	}
	if query.Get("allInOrg") != "true" {
		q.UserID = caller.UserID
	}
	return q
}

// comparePace is the pause between comparisons, which leaves the processors most of the time for what is watched: each
// takes them some 80 ms.
const comparePace = 400 * time.Millisecond

// watch compares answers continuously, whatever else happens, until stop is called, which returns how many were
// compared.
func (e *examiner) watch(seed uint64) (stop func() (compared int)) {
	var n atomic.Int64
	stopping, stopped := make(chan struct{}), make(chan struct{})
	e.Cleanup(func() { <-stopped }) // a test that fails ends its context, and does not call stop
	g := newGenerator(seed)
	go func() {
		defer close(stopped)
		pace := time.NewTicker(comparePace)
		defer pace.Stop()
		for {
			if caller, query := g.question(); e.compare(caller, query, false) {
				n.Add(1)
			}
			select {
			case <-stopping:
				return
			case <-e.Context().Done():
				return
			case <-pace.C:
			}
		}
	}()
	return func() int {
		close(stopping)
		<-stopped
		return int(n.Load())
	}
}

// verify compares all cells and activity with the messages.
func (i *installation) verify() {
	i.Helper()
	if o := i.run("verify"); o.status != cli.ExitOK {
		i.Errorf("verify: status %d: %s%s", o.status, o.stdout, o.stderr)
	}
}
