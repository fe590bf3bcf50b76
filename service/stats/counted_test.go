package stats_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// The figures of a series' intervals are kept, and only those are counted again in which something has changed.
func TestIntervalsAreCountedOnce(t *testing.T) {
	for _, row := range []struct {
		filter stats.Filter
		unit   calendar.Unit
	}{
		{stats.Filter{}, calendar.Hour},
		{stats.Filter{AgentID: "a1"}, calendar.Week},
		{stats.Filter{UserID: "u1"}, calendar.Day},
		{stats.Filter{MetadataKey: "team", MetadataValue: "red"}, calendar.Week},
	} {
		filter, unit := row.filter, row.unit
		d := newDatabase(t)
		d.load(oneConversation, oneMessage, otherMessage, oneFile, oneMember)
		store := d.store(stats.Options{Memory: enough})
		may := cells.Month.Start(ragged("o1").Until)
		q := stats.Question{OrgID: "o1", Filter: filter, From: may - 20*cells.MsPerDay, Until: may + 20*cells.MsPerDay + 1, Grouping: series(t, unit, "Europe/Berlin")}
		q.Previous = stats.Interval{From: q.From - 5*cells.MsPerDay, Until: q.From}
		all := 0
		ask := func(reason string) (counted int) {
			counted, all = d.counted(store, q), len(q.Grouping.Bounds(stats.Interval{From: q.From, Until: q.Until}))-1
			want, err := store.Plain(t.Context(), q)
			if got := d.answer(store, q); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%+v, %s, %s: got %+v\nwant %+v, %v", filter, unit, reason, got, want, err)
			}
			return counted
		}
		if n := ask("at first"); n != 0 {
			t.Errorf("%d intervals were counted before anybody asked", n)
		}
		before := ask("again")
		if before < all-2 {
			t.Errorf("%+v: %d of %d intervals by the %s were kept", filter, before, all, unit)
		}
		d.load(strings.Replace(otherMessage, "m2", "m3", 1))
		if n := ask("with another message"); n >= before || unit == calendar.Hour && n < before-3 {
			t.Errorf("%+v: %d of %d intervals by the %s are kept after a change of one hour", filter, n, before, unit)
		}
		d.load(strings.Replace(oneMember, "red", "blue", 1), strings.Replace(oneFile, "f1", "f2", 1))
		ask("with another file and other metadata")
	}
}

// counted returns how many intervals of messages a question would take from memory as they were counted.
func (d *database) counted(store *stats.Store, q stats.Question) (n int) {
	d.Helper()
	e, err := store.Explain(d.Context(), q)
	if err != nil {
		d.Fatal(err)
	}
	for _, source := range e.Sources {
		if source.Name == "messages: intervals counted before" {
			for _, i := range source.Intervals {
				n += len(q.Grouping.Bounds(i)) - 1
			}
		}
	}
	return n
}
