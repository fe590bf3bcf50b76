package service

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/calendar"
	"github.com/orgstats/orgstats/service/stats"
)

const (
	seriesPath    = "/api/dashboard/getTimeSeries"
	breakdownPath = "/api/dashboard/getBreakdown"
)

// get asks an endpoint as a caller who may see everything.
func (r *running) get(t testing.TB, path, query string) answer {
	t.Helper()
	return r.do(t, http.MethodGet, path+"?"+query, bearer(tokenOf(admin)))
}

func berlin(t testing.TB) calendar.Zone {
	t.Helper()
	zone, err := calendar.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestGroupingsAreRead(t *testing.T) {
	breakdown := func(change func(*stats.Grouping)) stats.Grouping {
		g := stats.Grouping{By: stats.ByAgent, OrderBy: "messageCount", Limit: 100}
		change(&g)
		return g
	}
	asked := &recorder{}
	service := start(t, Config{Answerer: asked})
	for _, row := range []struct {
		path, query string
		want        stats.Grouping
	}{
		{statsPath, "", stats.Grouping{}},
		{statsPath, "&timeZone=Europe/Berlin", stats.Grouping{}},
		{seriesPath, "&interval=day", stats.Grouping{Interval: calendar.Day, Zone: calendar.UTC}},
		{seriesPath, "&interval=week&timeZone=Europe%2FBerlin", stats.Grouping{Interval: calendar.Week, Zone: berlin(t)}},
		{breakdownPath, "&groupBy=agent", breakdown(func(*stats.Grouping) {})},
		{breakdownPath, "&groupBy=agent&orderBy=&order=desc&limit=&interval=", breakdown(func(*stats.Grouping) {})},
		{breakdownPath, "&groupBy=role&orderBy=totalFeedback&order=asc&limit=7", breakdown(func(g *stats.Grouping) {
			*g = stats.Grouping{By: stats.ByRole, OrderBy: "totalFeedback", Ascending: true, Limit: 7}
		})},
		{breakdownPath, "&groupBy=knowledgeBase&interval=year", breakdown(func(g *stats.Grouping) {
			g.By, g.OrderBy, g.Interval, g.Zone = stats.ByKnowledgeBase, "kbFileCount", calendar.Year, calendar.UTC
		})},
		{breakdownPath, "&groupBy=metadata&metadataKey=a.b", breakdown(func(g *stats.Grouping) { g.By, g.Path = stats.ByMetadata, "a.b" })},
	} {
		got := service.get(t, row.path, day+"&allInOrg=true"+row.query)
		if got.status != http.StatusOK {
			t.Errorf("%s%s: got %d %s", row.path, row.query, got.status, got.body)
			continue
		}
		if q := asked.only(t); q.Grouping != row.want || q.Filter != (stats.Filter{}) {
			t.Errorf("%s%s: asked %+v, want %+v", row.path, row.query, q, row.want)
		}
	}
}

func TestWrongGroupings(t *testing.T) {
	service := start(t, Config{})
	for _, row := range []struct{ path, query, want string }{
		{statsPath, "&interval=day", `"interval" is not a parameter`},
		{statsPath, "&compare=next", `compare is \"next\": give previous`},
		{statsPath, "&format=xml", `format is \"xml\": give json or csv`},
		{statsPath, "&timeZone=Mars", `timeZone is \"Mars\": give a name of the IANA database`},
		{seriesPath, "", "interval is missing: give hour, day, week, month, quarter or year"},
		{seriesPath, "&interval=minute", `interval is \"minute\": give hour`},
		{seriesPath, "&interval=day&interval=hour", "interval is given more than once"},
		{breakdownPath, "", "groupBy is missing: give agent, user"},
		{breakdownPath, "&groupBy=agent&orderBy=kbCount", "orderBy is kbCount, which is 0 in all rows by agent"},
		{breakdownPath, "&groupBy=agent&orderBy=messages", `orderBy is \"messages\": give conversationCount`},
		{breakdownPath, "&groupBy=agent&limit=0", `limit is \"0\": give a whole number from 1 to 1000`},
		{breakdownPath, "&groupBy=agent&limit=%2B5", "give a whole number"},
		{breakdownPath, "&groupBy=metadata", "metadataKey is missing: with groupBy=metadata"},
		{breakdownPath, "&groupBy=metadata&metadataKey=a&metadataValue=b", "metadataValue is given: with groupBy=metadata"},
	} {
		got := service.get(t, row.path, day+row.query)
		if got.status != http.StatusBadRequest || !strings.Contains(strings.ReplaceAll(got.body, `\"interval\"`, `"interval"`), row.want) {
			t.Errorf("%s%s: got %d %s, want %s", row.path, row.query, got.status, got.body, row.want)
		}
	}
	for _, row := range []struct{ path, query, want string }{
		{seriesPath, "&interval=hour", "of which the window has 8784: at most 2000"},
		{seriesPath, "&interval=hour&from=1900-01-01T00:00:00Z", "of which the window has 1095744: at most 2000"},
		{breakdownPath, "&groupBy=agent&interval=day&limit=1000", "limit is 1000 and the window has 366 intervals"},
	} {
		window := "to=2024-12-31T23:59:59.999Z"
		if !strings.Contains(row.query, "from=") {
			window += "&from=2024-01-01T00:00:00Z"
		}
		if got := service.get(t, row.path, window+row.query); got.status != http.StatusBadRequest || !strings.Contains(got.body, row.want) {
			t.Errorf("%s%s: got %d %s, want %s", row.path, row.query, got.status, got.body, row.want)
		}
	}
}

func TestPreviousWindows(t *testing.T) {
	asked := &recorder{}
	service := start(t, Config{Answerer: asked})
	for _, row := range []struct{ why, from, to, zone, previous string }{
		{"as long", "2024-03-10T00:00:00Z", "2024-03-16T23:59:59.999Z", "UTC", "2024-03-03T00:00:00Z"},
		{"a month", "2024-03-01T00:00:00Z", "2024-03-31T23:59:59.999Z", "UTC", "2024-02-01T00:00:00Z"},
		{"a year", "2024-01-01T00:00:00Z", "2024-12-31T23:59:59.999Z", "UTC", "2023-01-01T00:00:00Z"},
		{"a month of a zone", "2024-02-29T23:00:00Z", "2024-03-31T21:59:59.999Z", "Europe/Berlin", "2024-01-31T23:00:00Z"},
		{"no month of this zone", "2024-02-29T23:00:00Z", "2024-03-31T21:59:59.999Z", "UTC", "2024-01-30T00:00:00Z"},
		{"a millisecond", "2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z", "UTC", "2024-02-29T23:59:59.999Z"},
	} {
		query := encodeQuery("from", row.from, "to", row.to, "timeZone", row.zone, "compare", "previous")
		if got := service.get(t, statsPath, query); got.status != http.StatusOK {
			t.Fatalf("%s: got %d %s", row.why, got.status, got.body)
		}
		q := asked.only(t)
		if want := (stats.Interval{From: unixMilli(t, row.previous), Until: q.From}); q.Previous != want {
			t.Errorf("%s: %+v, want %+v", row.why, q.Previous, want)
		}
	}
}

// grouped answers every question by rows that tell where they belong.
func grouped(_ context.Context, r stats.Request) (stats.Answer, error) {
	period := func(messages uint64) stats.Period {
		p := stats.Period{Figures: stats.Figures{MessageCount: messages}}
		if r.Grouping.Interval != "" {
			p.Series = []stats.Figures{{MessageCount: messages - 1}, {MessageCount: 1}}
		}
		return p
	}
	return stats.Answer{
		Total: stats.Row{Window: period(10), Previous: period(5)}, Groups: 3,
		Rows: []stats.Row{
			{Group: stats.Group{Value: "=1+\"a\",\r\nb"}, Window: period(7), Previous: period(4)},
			{Group: stats.Group{None: true}, Window: period(2), Previous: period(1)},
		},
		Other: &stats.Row{Window: period(1), Previous: period(1)},
	}, nil
}

const twoDays = "from=2024-03-30T23:00:00Z&to=2024-04-01T12:00:00Z&timeZone=Europe/Berlin"

func TestGroupedAnswersAreShown(t *testing.T) {
	service := start(t, Config{Answerer: answererFunc(grouped)})
	figures := func(messages int) string {
		return strings.Replace(strings.ReplaceAll(start(t, Config{Answerer: answererFunc(func(context.Context, stats.Request) (stats.Answer, error) {
			return stats.Answer{}, nil
		})}).get(t, statsPath, day).body, "\n", ""), `"messageCount":0`, fmt.Sprintf(`"messageCount":%d`, messages), 1)
	}
	f := map[string]string{}
	for n := range 11 {
		f[fmt.Sprintf("F%d.", n)] = figures(n)
	}
	expand := func(text string) string {
		for n := 10; n >= 0; n-- {
			text = strings.ReplaceAll(text, fmt.Sprintf("F%d.", n), f[fmt.Sprintf("F%d.", n)])
		}
		return text
	}
	buckets := func(first, second string) string {
		return `[{"start":"2024-03-31T00:00:00+01:00","end":"2024-04-01T00:00:00+02:00","partial":false,"stats":` + first + `},` +
			`{"start":"2024-04-01T00:00:00+02:00","end":"2024-04-02T00:00:00+02:00","partial":true,"stats":` + second + `}]`
	}
	previous := `"previous":{"from":"2024-03-29T09:59:59.999Z","to":"2024-03-30T22:59:59.999Z"`
	for _, row := range []struct{ path, query, want string }{
		{statsPath, "&compare=previous", strings.TrimSuffix(f["F10."], "}") + "," + previous + `,"stats":F5.}}`},
		{seriesPath, "&interval=day", `{"interval":"day","timeZone":"Europe/Berlin","buckets":` + buckets("F9.", "F1.") + `}`},
		{breakdownPath, "&groupBy=agent&limit=2", `{"groupBy":"agent","orderBy":"messageCount","order":"desc",` +
			`"rows":[{"value":"=1+\"a\",\r\nb","stats":F7.},{"value":null,"stats":F2.}],"other":{"groups":1,"stats":F1.},"total":{"groups":3,"stats":F10.}}`},
		{breakdownPath, "&groupBy=agent&limit=2&compare=previous", `{"groupBy":"agent","orderBy":"messageCount","order":"desc",` + previous + `},` +
			`"rows":[{"value":"=1+\"a\",\r\nb","stats":F7.,"previous":F4.},{"value":null,"stats":F2.,"previous":F1.}],` +
			`"other":{"groups":1,"stats":F1.,"previous":F1.},"total":{"groups":3,"stats":F10.,"previous":F5.}}`},
		{breakdownPath, "&groupBy=agent&limit=2&interval=day", `{"groupBy":"agent","orderBy":"messageCount","order":"desc","interval":"day",` +
			`"timeZone":"Europe/Berlin","rows":[{"value":"=1+\"a\",\r\nb","stats":F7.,"buckets":` + buckets("F6.", "F1.") +
			`},{"value":null,"stats":F2.,"buckets":` + buckets("F1.", "F1.") + `}],"other":{"groups":1,"stats":F1.,"buckets":` + buckets("F0.", "F1.") +
			`},"total":{"groups":3,"stats":F10.,"buckets":` + buckets("F9.", "F1.") + `}}`},
	} {
		if got := service.get(t, row.path, twoDays+row.query); got.body != expand(row.want) {
			t.Errorf("%s%s:\n got %s\nwant %s", row.path, row.query, got.body, expand(row.want))
		}
	}
}

func TestCSV(t *testing.T) {
	service := start(t, Config{Answerer: answererFunc(grouped)})
	names := strings.Join(stats.FigureNames, ",")
	line := func(messages int) string { return fmt.Sprintf(",0,%d", messages) + strings.Repeat(",0", 14) + "\r\n" }
	bucket := func(cells string) string {
		return cells + ",2024-03-31T00:00:00+01:00,2024-04-01T00:00:00+02:00,false"
	}
	for _, row := range []struct{ path, query, file, want string }{
		{statsPath, "&compare=previous", "orgstats-stats-2024-03-30.csv", "period,from,to," + names + "\r\n" +
			"window,2024-03-30T23:00:00.000Z,2024-04-01T12:00:00.000Z" + line(10) + "previous,2024-03-29T09:59:59.999Z,2024-03-30T22:59:59.999Z" + line(5)},
		{seriesPath, "&interval=day", "orgstats-timeseries-2024-03-30.csv", "period,start,end,partial," + names + "\r\n" +
			bucket("window") + line(9) + "window,2024-04-01T00:00:00+02:00,2024-04-02T00:00:00+02:00,true" + line(1)},
		{breakdownPath, "&groupBy=agent&limit=2", "orgstats-breakdown-2024-03-30.csv", "period,kind,value,groups," + names + "\r\n" +
			"window,row,\"'=1+\"\"a\"\",\r\nb\",1" + line(7) + "window,row,,1" + line(2) + "window,other,,1" + line(1) + "window,total,,3" + line(10)},
	} {
		for _, header := range []http.Header{{}, {"Accept": {"text/csv"}}} {
			query := twoDays + row.query
			if header.Get("Accept") == "" {
				query += "&format=csv"
			}
			header.Set("Authorization", "Bearer "+tokenOf(admin))
			got := service.do(t, http.MethodGet, row.path+"?"+query, header)
			if got.body != row.want {
				t.Errorf("%s:\n got %q\nwant %q", query, got.body, row.want)
			}
			if got.header.Get("Content-Type") != csvType || got.header.Get("ETag") == "" ||
				got.header.Get("Content-Disposition") != fmt.Sprintf("attachment; filename=%q", row.file) {
				t.Errorf("%s: %v", query, got.header)
			}
		}
	}
	header := bearer(tokenOf(admin))
	header.Set("Accept", "text/csv")
	if got := service.do(t, http.MethodGet, statsPath+"?"+day+"&format=json", header); !strings.HasPrefix(got.body, "{") {
		t.Errorf("the parameter does not win over the header: %s", got.body)
	}
}

// Media types are the same in any case, and with any charset.
func TestAccept(t *testing.T) {
	service := start(t, Config{Answerer: answererFunc(grouped)})
	for accept, wantCSV := range map[string]bool{
		"": false, "*/*": false, "application/json": false, "text/html, */*;q=0.1": false, "text/csv;q=0, application/json": false,
		"application/json, text/csv;q=0.9": false, "text/csv": true, "TEXT/CSV": true, "text/csv; charset=utf-8": true, csvType: true,
		"text/csv;charset=utf-8;q=0.9, application/json; q=0.5": true, "text/*": true,
	} {
		header := bearer(tokenOf(admin))
		header.Set("Accept", accept)
		if got := service.do(t, http.MethodGet, statsPath+"?"+day, header); (got.header.Get("Content-Type") == csvType) != wantCSV {
			t.Errorf("%q is answered with %s", accept, got.header.Get("Content-Type"))
		}
	}
}

// A spreadsheet must not run what a user's metadata say.
func TestTextsOfCSVAreHarmless(t *testing.T) {
	for _, formula := range []string{"=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠a"} {
		if got := harmless(formula); got != "'"+formula {
			t.Errorf("%q becomes %q", formula, got)
		}
	}
	for _, text := range []string{"", "a=1", "'=1", "सहायक", "\xff"} {
		if got := harmless(text); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// Of a window outside of the years that records have there is none before it.
func TestNothingIsBeforeWindowsWithoutRecords(t *testing.T) {
	nothing := func(context.Context, stats.Request) (stats.Answer, error) { return stats.Answer{}, nil }
	service := start(t, Config{Answerer: answererFunc(nothing)})
	for _, years := range [][2]string{{"0001", "0003"}, {"2262", "2263"}} {
		window := encodeQuery("from", years[0]+"-01-01T00:00:00Z", "to", years[1]+"-01-01T00:00:00Z")
		for _, path := range []string{statsPath, seriesPath} {
			query := window + "&compare=previous"
			if path == seriesPath {
				query += "&interval=year"
			}
			if got := service.get(t, path, query); got.status != http.StatusOK || gjson.Get(got.body, "previous").Exists() {
				t.Errorf("%s of %s: %d %s", path, years, got.status, got.body)
			}
		}
	}
}

// Records have no times before 1900: what the window that is compared has of them are empty buckets.
func TestWindowsBeforeAllRecordsHaveBuckets(t *testing.T) {
	for _, row := range []struct {
		from   string
		series []uint64
		want   string
	}{
		{"1900-01-02", []uint64{0, 0, 1}, "1899-12-30 0, 1899-12-31 0, 1900-01-01 1"},
		{"1900-01-01", []uint64{0, 0, 0}, "1899-12-29 0, 1899-12-30 0, 1899-12-31 0"},
	} {
		service := start(t, Config{Answerer: answererFunc(func(context.Context, stats.Request) (a stats.Answer, err error) {
			a.Total.Window.Series = make([]stats.Figures, 3)
			for _, messages := range row.series {
				a.Total.Previous.Series = append(a.Total.Previous.Series, stats.Figures{MessageCount: messages})
			}
			return a, nil
		})})
		from := unixMilli(t, row.from+"T00:00:00Z")
		window := encodeQuery("from", stats.Instant(from), "to", stats.Instant(from+3*cells.MsPerDay-1))
		got := service.get(t, seriesPath, window+"&interval=day&compare=previous")
		var shown []string
		for _, b := range gjson.Get(got.body, "previous.buckets").Array() {
			shown = append(shown, b.Get("start").String()[:len("1900-01-01")]+" "+b.Get("stats.messageCount").Raw)
		}
		if strings.Join(shown, ", ") != row.want {
			t.Errorf("%s: got %v, want %s", row.from, shown, row.want)
		}
	}
}

// A long table comes in pieces, whole.
func TestLongCSVIsStreamed(t *testing.T) {
	const rows = 900
	service := start(t, Config{Answerer: answererFunc(func(context.Context, stats.Request) (stats.Answer, error) {
		a := stats.Answer{Groups: rows, Rows: make([]stats.Row, rows)}
		for n := range a.Rows {
			a.Rows[n] = stats.Row{Group: stats.Group{Value: fmt.Sprint(n)}, Window: stats.Period{Series: make([]stats.Figures, 2)}}
		}
		a.Total.Window.Series = make([]stats.Figures, 2)
		return a, nil
	})})
	got := service.get(t, breakdownPath, twoDays+"&groupBy=user&interval=day&format=csv")
	if lines := strings.Count(got.body, "\r\n"); lines != 1+2*(rows+1) || got.header.Get("ETag") != "" {
		t.Errorf("%d lines, %v", lines, got.header)
	}
}
