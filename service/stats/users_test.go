package stats_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

// Figures by user, and by what their metadata say, come from user activity, and from messages only where the window
// begins or ends within an hour. ClickHouse sums up those of more users than are held in memory.
func TestUsersAreSummedUp(t *testing.T) {
	d := newDatabase(t)
	d.load(oneConversation, oneMessage, otherMessage, oneMember,
		strings.NewReplacer("c1", "c2", "u1", "u2").Replace(oneConversation), strings.NewReplacer("c1", "c2", "m1", "m3").Replace(oneMessage))
	both := breakdown(stats.ByUser)
	both.Interval, both.Zone = calendar.Month, calendar.UTC
	for _, g := range []stats.Grouping{breakdown(stats.ByUser), breakdown(stats.ByMetadata), both} {
		for _, row := range []struct {
			reason         string
			until          int64 // after the end of the messages' last hour
			limit          int
			reads, without []string
		}{
			{"whole hours", 0, 50_000, []string{stats.KindActivity}, []string{stats.KindLive, stats.KindMessages, stats.KindPlain}},
			{"a part of an hour", -cells.MsPerHour / 2, 50_000, []string{stats.KindActivity, stats.KindLive}, []string{stats.KindPlain}},
			{"many users", 0, 1, []string{stats.KindActivity, stats.KindPlain}, nil},
		} {
			t.Run(fmt.Sprintf("%s, by %s %s", row.reason, g.By, g.Interval), func(t *testing.T) {
				stats.SetMaxUserGroups(t, row.limit)
				q := stats.Question{OrgID: "o1", From: cells.Day.Start(ragged("o1").Until), Until: cells.Hour.Ceil(ragged("o1").Until) + row.until, Grouping: g}
				var seen sync.Map
				store := d.store(stats.Options{Memory: enough, Observe: func(o clickhouse.Observation) { seen.Store(o.Name, true) }})
				got := d.answer(store, q)
				read := func(kind string) bool { _, ok := seen.Load(kind); return ok }
				if slices.ContainsFunc(row.without, read) || slices.ContainsFunc(row.reads, func(kind string) bool { return !read(kind) }) {
					t.Errorf("the statements are %v, want %v and none of %v", seenKinds(&seen), row.reads, row.without)
				}
				if want, err := store.Plain(t.Context(), q); err != nil || !reflect.DeepEqual(got, want) || len(got.Rows) != 2 {
					t.Errorf("got  %+v\nwant %+v, %v", got, want, err)
				}
			})
		}
	}
}

func seenKinds(seen *sync.Map) (kinds []any) {
	seen.Range(func(kind, _ any) bool {
		kinds = append(kinds, kind)
		return true
	})
	return kinds
}
