package stats_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// series returns the grouping by an interval of a zone.
func series(t *testing.T, interval calendar.Unit, zone string) stats.Grouping {
	t.Helper()
	z, err := calendar.LoadZone(zone)
	if err != nil {
		t.Fatal(err)
	}
	return stats.Grouping{Interval: interval, Zone: z}
}

// Every interval of a series has the figures of a question about that interval alone, and a series from memory is the
// plain query's.
func TestSeries(t *testing.T) {
	d := newDatabase(t)
	d.loadContract()
	filters := []stats.Filter{{}, {AgentID: "3"}, {UserID: "user_025"}, {MetadataKey: "team"}}
	for name, store := range map[string]*stats.Store{"kept": d.store(stats.Options{Memory: enough}), "not kept": d.store(stats.Options{})} {
		for n, g := range []stats.Grouping{
			series(t, calendar.Month, "UTC"), series(t, calendar.Week, "Europe/Berlin"), series(t, calendar.Day, "Asia/Kathmandu"),
			series(t, calendar.Hour, "Australia/Lord_Howe"), series(t, calendar.Quarter, "America/St_Johns"), series(t, calendar.Year, "UTC"),
		} {
			q := year("org_acme")
			q.Filter, q.Grouping = filters[n%len(filters)], g
			q.From, q.Until = q.From+cells.MsPerHour, q.From+75*cells.MsPerDay+1 // which cut the first and the last interval
			q.Previous = stats.Interval{From: q.From - 10*cells.MsPerDay - 7, Until: q.From}
			t.Run(fmt.Sprintf("%s, %s of %s, %+v", name, g.Interval, g.Zone, q.Filter), func(t *testing.T) { d.compareSeries(t, store, q) })
		}
	}
}

func (d *database) compareSeries(t *testing.T, store *stats.Store, q stats.Question) {
	t.Helper()
	got := d.answer(store, q)
	want, err := store.Plain(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if again := d.answer(store, q); !reflect.DeepEqual(again, want) {
		t.Errorf("again: %+v\nwant %+v", again, want)
	}
	alone := q
	alone.Grouping, alone.Previous = stats.Grouping{}, stats.Interval{}
	bounds := q.Grouping.Bounds(stats.Interval{From: q.From, Until: q.Until})
	var messages uint64
	for n, figures := range got.Total.Window.Series {
		alone.From, alone.Until = max(q.From, bounds[n]), min(q.Until, bounds[n+1])
		if n%397 == 0 && d.plain(store, alone) != figures {
			t.Errorf("interval %d: %+v", n, figures)
		}
		messages += figures.MessageCount
	}
	alone.From, alone.Until = q.From, q.Until
	if whole := d.plain(store, alone); whole.MessageCount != messages || len(got.Total.Window.Series) != len(bounds)-1 {
		t.Errorf("%d intervals with %d messages, want %d with %d", len(got.Total.Window.Series), messages, len(bounds)-1, whole.MessageCount)
	}
}

// Many intervals that begin within a day, or within an hour, are asked for in statements that ClickHouse reads.
func TestManyIntervals(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage, otherMessage, oneFile, oneMember)
	store := d.store(stats.Options{Memory: enough})
	for n, g := range []stats.Grouping{
		series(t, calendar.Month, "Asia/Kathmandu"), series(t, calendar.Week, "Europe/Berlin"), series(t, calendar.Week, "Australia/Lord_Howe"),
		series(t, calendar.Year, "Australia/Lord_Howe"),
	} {
		q := stats.Question{OrgID: "o1", From: cells.MinTime, Until: cells.MaxTime + 1, Grouping: g}
		q.Filter = []stats.Filter{{}, {AgentID: "a1"}, {MetadataKey: "team"}, {UserID: "u1"}}[n]
		if g.Interval != calendar.Year {
			q.From, q.Until = ragged("o1").From-8000*cells.MsPerDay, ragged("o1").Until
		}
		t.Run(fmt.Sprintf("%s of %s", g.Interval, g.Zone), func(t *testing.T) {
			began := time.Now()
			got := d.answer(store, q)
			t.Logf("%d intervals in %s", len(got.Total.Window.Series), time.Since(began))
			want, err := store.Plain(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

// A series has figures for every interval of the calendar, also for those before the years that records have, to which
// the window that is compared may reach back.
func TestSeriesBeforeAllRecords(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, strings.ReplaceAll(oneMessage, "2024-05-01T10", "1900-01-01T10"))
	store := d.store(stats.Options{Memory: enough})
	for _, row := range []struct {
		zone string
		want []uint64
	}{{"UTC", []uint64{0, 0, 1}}, {"Asia/Tokyo", []uint64{0, 0, 1, 0}}} {
		q := stats.Question{OrgID: "o1", From: cells.MinTime + cells.MsPerDay, Until: cells.MinTime + 4*cells.MsPerDay, Grouping: series(t, calendar.Day, row.zone)}
		q.Previous = stats.Interval{From: q.From - 3*cells.MsPerDay, Until: q.From}
		got := d.answer(store, q)
		want, err := store.Plain(t.Context(), q)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v\nwant %+v, %v", row.zone, got, want, err)
		}
		var messages []uint64
		for _, figures := range got.Total.Previous.Series {
			messages = append(messages, figures.MessageCount)
		}
		if !slices.Equal(messages, row.want) {
			t.Errorf("%s: %d messages in the intervals before, want %d", row.zone, messages, row.want)
		}
	}
}

// breakdown returns the grouping by a dimension, without a limit that anything reaches.
func breakdown(by stats.Dimension) stats.Grouping {
	g := stats.Grouping{By: by, OrderBy: "messageCount", Limit: 1000}
	if by == stats.ByMetadata {
		g.Path = "team"
	}
	if by == stats.ByKnowledgeBase {
		g.OrderBy = "kbFileCount"
	}
	return g
}

// Each row of a breakdown has the figures of a question about its group alone, the total those of the question without
// groups, and a limit moves the last rows into the one of all others.
func TestBreakdowns(t *testing.T) {
	d := newDatabase(t)
	d.loadContract()
	store, forgetful := d.store(stats.Options{Memory: enough}), d.store(stats.Options{})
	for _, by := range stats.Dimensions {
		for _, filter := range []stats.Filter{{}, {AgentID: "3"}, {UserID: "user_025"}, {MetadataKey: "team"}} {
			for _, interval := range []stats.Grouping{{}, series(t, calendar.Week, "America/Sao_Paulo")} {
				if interval != (stats.Grouping{}) && filter.UserID == "" {
					continue // a filter does not change how groups are divided
				}
				q := year("org_acme")
				q.Filter, q.Grouping = filter, breakdown(by)
				q.Grouping.Interval, q.Grouping.Zone = interval.Interval, interval.Zone
				q.From, q.Until = q.From+cells.MsPerHour, q.From+75*cells.MsPerDay+1
				q.Previous = stats.Interval{From: q.From - 20*cells.MsPerDay, Until: q.From}
				t.Run(fmt.Sprintf("%s by %s, %+v", by, interval.Interval, filter), func(t *testing.T) {
					all := d.answer(store, q)
					d.compareRows(t, store, q, all)
					d.compareLimit(t, store, q, all)
					d.comparePlain(t, q, store, forgetful)
				})
			}
		}
	}
}

// comparePlain compares the answers of stores with the plain query's, with few rows in either order.
func (d *database) comparePlain(t *testing.T, q stats.Question, stores ...*stats.Store) {
	t.Helper()
	q.Grouping.Limit = 3
	for _, q.Grouping.Ascending = range []bool{false, true} {
		want, err := stores[0].Plain(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, store := range stores {
			if got := d.answer(store, q); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		}
	}
}

func (d *database) compareRows(t *testing.T, store *stats.Store, q stats.Question, all stats.Answer) {
	t.Helper()
	if all.Groups != len(all.Rows) || len(all.Rows) == 0 && q.Filter == (stats.Filter{}) {
		t.Fatalf("%d groups, %d rows", all.Groups, len(all.Rows))
	}
	for n, row := range all.Rows {
		if alone, ok := groupAlone(q, row.Group); ok {
			if want, _ := split(d.answer(store, alone).Figures()); row.Window.Figures != want {
				t.Errorf("group %+v: got %+v, want %+v", row.Group, row.Window.Figures, want)
			}
		}
		if n > 0 && all.Rows[n-1].Window.MessageCount < row.Window.MessageCount {
			t.Errorf("row %d is out of order", n)
		}
	}
	whole := q
	whole.Grouping.By = ""
	total := d.answer(store, whole).Total
	if q.Grouping.Interval != "" {
		whole.Grouping = stats.Grouping{}
		window := d.answer(store, whole).Total
		total.Window.Figures, total.Previous.Figures = window.Window.Figures, window.Previous.Figures
	}
	if !reflect.DeepEqual(all.Total, total) {
		t.Errorf("the total is %+v, want %+v", all.Total, total)
	}
}

// groupAlone returns the question about one group of a question, if there is such a question.
func groupAlone(q stats.Question, g stats.Group) (stats.Question, bool) {
	path := q.Grouping.Path
	switch by := q.Grouping.By; {
	case by == stats.ByAgent && !g.None:
		q.AgentID = g.Value
	case by == stats.ByUser:
		q.UserID = g.Value
	case by == stats.ByMetadata && !g.None:
		q.MetadataKey, q.MetadataValue = path, g.Value
	default:
		return q, false
	}
	q.Grouping = stats.Grouping{}
	return q, true
}

// compareLimit compares an answer of two rows with that of all.
func (d *database) compareLimit(t *testing.T, store *stats.Store, q stats.Question, all stats.Answer) {
	t.Helper()
	q.Grouping.Limit = 2
	few := d.answer(store, q)
	if !reflect.DeepEqual(few.Rows, all.Rows[:min(2, len(all.Rows))]) || !reflect.DeepEqual(few.Total, all.Total) || few.Groups != all.Groups {
		t.Errorf("with a limit: %+v\nwant %+v", few, all)
	}
	if q.Grouping.By == stats.ByMetadata {
		return // users are in several groups
	}
	var sum uint64
	for _, row := range all.Rows[min(2, len(all.Rows)):] {
		sum += row.Window.MessageCount + row.Window.KBFileCount
	}
	if few.Other == nil && sum != 0 || few.Other != nil && few.Other.Window.MessageCount+few.Other.Window.KBFileCount != sum {
		t.Errorf("the others: %+v, want %d", few.Other, sum)
	}
}

// split separates the figures of messages from those of files.
func split(all stats.Figures) (messages, files stats.Figures) {
	files = stats.Figures{
		KBFileCount: all.KBFileCount, KBCount: all.KBCount, KBExtractTotalTokens: all.KBExtractTotalTokens,
		KBExtractInputTokens: all.KBExtractInputTokens, KBExtractOutputTokens: all.KBExtractOutputTokens,
	}
	all.KBFileCount, all.KBCount = 0, 0
	all.KBExtractTotalTokens, all.KBExtractInputTokens, all.KBExtractOutputTokens = 0, 0, 0
	return all, files
}
