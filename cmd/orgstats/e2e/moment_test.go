package e2e

import (
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
	"github.com/orgstats/orgstats/service/calendar"
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
func (e *examiner) compare(a asked, quiet bool) (compared bool) {
	e.Helper()
	before := e.counter(a.caller.OrgID)
	isSame := func() bool {
		after := e.counter(a.caller.OrgID)
		return before == after && (before%2 == 0 || quiet)
	}
	got := e.askAbout(a)
	if !isSame() { // the plain query costs more than the counter
		return false
	}
	q := understand(a)
	want, err := e.store.Plain(e.Context(), questionOf(e.T, q))
	if err != nil {
		e.Error(err)
		return false
	}
	if !isSame() {
		return false
	}
	if got.status != http.StatusOK {
		e.Errorf("%v: status %d, %.500s", a, got.status, got.body)
		return true
	}
	checkSame(e.T, a, got.body, q.json(q.plain(want)))
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
func questionOf(t *testing.T, a asking) stats.Question {
	t.Helper()
	window := url.Values{"from": {a.query.Get("from")}, "to": {a.query.Get("to")}, "allInOrg": {"true"}}
	q, err := service.ReadQuestion("getStats", auth.Caller{OrgID: a.caller.OrgID, Role: "org:admin"}, window)
	if err != nil {
		t.Error(err)
	}
	zone, err := calendar.LoadZone(a.clocks.zone.String())
	if err != nil {
		t.Error(err)
	}
	q.Previous = stats.Interval{From: a.before.from, Until: a.before.until}
	filters := a.filters()
	for _, filter := range stats.Filters {
		*filter.Field(&q.Filter) = filters.Get(filter.Name)
	}
	if filters.Get("allInOrg") != "true" {
		q.UserID = a.caller.UserID
	}
	q.Grouping = stats.Grouping{Interval: calendar.Unit(a.interval), Zone: zone}
	if a.groupBy != "" {
		q.Grouping.By, q.Grouping.OrderBy, q.Grouping.Ascending = stats.Dimension(a.groupBy), a.orderBy, a.order == "asc"
		q.Grouping.Limit = a.limit
	}
	if a.groupBy == "metadata" {
		q.Grouping.Path = a.query.Get("metadataKey")
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
			if e.compare(g.asked(), false) {
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
