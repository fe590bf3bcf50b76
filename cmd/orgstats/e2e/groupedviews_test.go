package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

// answerOf asks an endpoint of the dashboard; the second result is false where the question has too many intervals.
func (s *server) answerOf(endpoint string, caller auth.Caller, query url.Values) (string, bool) {
	s.Helper()
	address := "http://" + s.address + "/api/dashboard/" + endpoint + "?" + query.Encode()
	request, err := http.NewRequestWithContext(s.Context(), http.MethodGet, address, nil)
	if err != nil {
		s.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+s.token(caller))
	response, err := s.client.Do(request)
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Fatal(err)
	}
	tooMany := response.StatusCode == http.StatusBadRequest && strings.Contains(string(body), "are answered, so ask for")
	if response.StatusCode != http.StatusOK && !tooMany {
		s.Fatalf("%s: status %d, %s", address, response.StatusCode, body)
	}
	return string(body), !tooMany
}

// partOf returns what is asked for of an answer, which may have more.
func partOf[T any](t *testing.T, body string) (part T) {
	t.Helper()
	if err := json.Unmarshal([]byte(body), &part); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return part
}

// bucket is an interval's figures, of a view or of the endpoint.
type bucket struct {
	Start, End time.Time
	Partial    bool
	Stats      figures
}

func (b bucket) String() string {
	stats, _ := json.Marshal(b.Stats) // sorted by name
	return fmt.Sprint(b.Start.UTC(), b.End.UTC(), b.Partial, string(stats))
}

// argumentsOf binds the arguments of a view in a window.
func argumentsOf(orgID string, window url.Values, others ...string) (clickhouse.Params, string) {
	params, call := clickhouse.Params{}, "(org_id = {org:String}, from = {first:String}, to = {last:String}"
	params.String("org", orgID)
	params.String("first", window.Get("from"))
	params.String("last", window.Get("to"))
	for n := 0; n < len(others); n += 2 {
		call += fmt.Sprintf(", %[1]s = {%[1]s:String}", others[n])
		params.String(others[n], others[n+1])
	}
	return params, call + ")"
}

// checkIntervals compares the view by interval with getTimeSeries, and returns how many rows there were.
func checkIntervals(s *server, conn clickhouse.Conn, orgID string, window url.Values, unit, zone string) int {
	s.Helper()
	query := maps.Clone(window)
	query.Set("allInOrg", "true")
	query.Set("interval", unit)
	query.Set("timeZone", zone)
	body, ok := s.answerOf("getTimeSeries", adminOf(orgID), query)
	if !ok {
		return 0
	}
	var want, got []string
	for _, b := range partOf[struct{ Buckets []bucket }](s.T, body).Buckets {
		if b.Stats["messageCount"]+b.Stats["kbFileCount"] > 0 {
			want = append(want, b.String())
		}
	}
	params, call := argumentsOf(orgID, window, "interval", unit, "time_zone", zone)
	for _, row := range rowsOf(s.T, conn, params, "SELECT * FROM figures_by_interval_in_window"+call+" ORDER BY start") {
		got = append(got, bucket{row["start"].(time.Time), row["end"].(time.Time), row["partial"].(bool), figuresOf(row)}.String())
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		s.Errorf("%s by %s of %s from %s to %s: the view gives\n%s\nwant\n%s", orgID, unit, zone, window.Get("from"), window.Get("to"), g, w)
	}
	return len(got)
}

// groupViews are the views by group: the endpoint's groupBy, their column, and the figure of theirs that is 1 in every
// row, or 0 in the row without a value.
var groupViews = map[string][3]string{
	"figures_by_agent_in_window":          {"agent", "agent_id", "uniqueAgents"},
	"figures_by_user_in_window":           {"user", "user_id", "uniqueUsers"},
	"figures_by_role_in_window":           {"role", "role"},
	"figures_by_knowledge_base_in_window": {"knowledgeBase", "knowledge_base_id", "kbCount"},
	"figures_by_metadata_in_window":       {"metadata", "value"},
}

// checkGroupViews compares the views by group with getBreakdown, and returns how many rows each had.
func checkGroupViews(s *server, conn clickhouse.Conn, orgID string, window url.Values, path string) map[string]int {
	s.Helper()
	rows := map[string]int{}
	for view, names := range groupViews {
		query := maps.Clone(window)
		query.Set("allInOrg", "true")
		query.Set("groupBy", names[0])
		query.Set("limit", "1000")
		var others []string
		if names[0] == "metadata" {
			query.Set("metadataKey", path)
			others = []string{"path", path}
		}
		body, _ := s.answerOf("getBreakdown", adminOf(orgID), query)
		want := groupsOf(s.T, body, names[2])
		params, call := argumentsOf(orgID, window, others...)
		got := map[string]string{}
		for _, row := range rowsOf(s.T, conn, params, "SELECT * FROM "+view+call) {
			got[valueOf(row[names[1]])] = fmt.Sprint(withoutZeros(figuresOf(row)))
		}
		if !maps.Equal(got, want) {
			s.Errorf("%s in %s from %s to %s, path %q: the view gives\n%v, want\n%v", view, orgID, window.Get("from"), window.Get("to"), path, got, want)
		}
		rows[view] = len(got)
	}
	return rows
}

// groupsOf returns the rows of an answer by value, without a figure that the view does not have.
func groupsOf(t *testing.T, body, without string) map[string]string {
	t.Helper()
	groups := map[string]string{}
	for _, row := range partOf[struct {
		Rows []struct {
			Value *string
			Stats figures
		}
	}](t, body).Rows {
		if without != "" && row.Value != nil && row.Stats[without] != 1 {
			t.Errorf("%v has %s %d", *row.Value, without, row.Stats[without])
		}
		delete(row.Stats, without)
		value := "none"
		if row.Value != nil {
			value = fmt.Sprintf("%q", *row.Value)
		} else if without == "uniqueAgents" {
			value = `""` // as the views write it
		}
		groups[value] = fmt.Sprint(withoutZeros(row.Stats))
	}
	return groups
}

// withoutZeros returns the figures that are not 0: a view has those of its records only.
func withoutZeros(f figures) figures {
	maps.DeleteFunc(f, func(_ string, n int64) bool { return n == 0 })
	return f
}

// valueOf returns the value of a group in a view's row as text.
func valueOf(value any) string {
	if text, ok := value.(*string); ok {
		if text == nil {
			return "none"
		}
		value = *text
	}
	return fmt.Sprintf("%q", value)
}

// turns are instants beside which calendars do what a simple division of time does not.
var turns = []struct {
	zone  string
	turns []string
}{
	{"UTC", []string{"2024-03-01T00:00:00Z", "2261-06-30T23:00:00Z"}},
	{"Europe/Berlin", []string{"2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z", "2036-10-26T01:00:00Z", "1916-04-30T22:00:00Z"}},
	{"Australia/Lord_Howe", []string{"2024-04-06T15:00:00Z", "2024-10-05T15:30:00Z"}},
	{"Asia/Kathmandu", []string{"1985-12-31T18:30:00Z", "2024-07-01T18:15:00Z"}},
	{"Pacific/Apia", []string{"2011-12-30T10:00:00Z", "2012-03-31T14:00:00Z"}},
	{"America/Sao_Paulo", []string{"2018-02-18T02:00:00Z", "2018-11-04T03:00:00Z"}},
	{"Africa/Casablanca", []string{"2024-03-10T02:00:00Z", "2024-04-14T02:00:00Z"}},
	{"America/New_York", []string{"1900-01-01T05:00:00Z", "2024-11-03T06:00:00Z"}},
	{"Asia/Pyongyang", []string{"2015-08-14T15:00:00Z", "2018-05-04T15:00:00Z"}},
	{"Antarctica/Troll", []string{"2024-03-31T01:00:00Z", "2024-10-27T01:00:00Z"}},
}

// turning returns an organization's messages and files beside the turns.
func turning(t *testing.T, orgID string) []byte {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"conversation","id":"turning","organizationId":%q,"userId":"user_1","createdAt":"2024-01-01T00:00:00Z"}`+"\n", orgID)
	n := 0
	for _, row := range turns {
		for _, text := range row.turns {
			at := parsed(t, text)
			for minutes := -180; minutes <= 180; minutes += 10 {
				for _, ms := range []int{-1, 0} {
					n++
					when := at.Add(time.Duration(minutes)*time.Minute + time.Duration(ms)*time.Millisecond).UTC().Format(time.RFC3339Nano)
					fmt.Fprintf(&b, `{"type":"message","id":"turning_%d","conversationId":"turning","role":"user","createdAt":%q}`+"\n", n, when)
					fmt.Fprintf(&b, `{"type":"kbFile","id":"turning_%d","organizationId":%q,"knowledgeBaseId":"kb_%d","createdAt":%q}`+"\n", n, orgID, n%3, when)
				}
			}
		}
	}
	return []byte(b.String())
}

func parsed(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

var units = []string{"hour", "day", "week", "month", "quarter", "year"}

// TestViewsAnswerAsSeriesBesideTurnsOfTheClocks compares intervals of every length around every turn.
func TestViewsAnswerAsSeriesBesideTurnsOfTheClocks(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := i.serve()
	if o := i.runWith(turning(t, "org_a"), "load", "-"); o.status != cli.ExitOK {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	conn := i.analyst()
	for _, row := range turns {
		for _, text := range row.turns {
			at := parsed(t, text)
			window := url.Values{
				"from": {at.Add(-3 * 24 * time.Hour).Format(time.RFC3339)}, "to": {at.Add(3*24*time.Hour + 1234*time.Millisecond).Format(time.RFC3339Nano)},
			}
			for _, unit := range units {
				if checkIntervals(s, conn, "org_a", window, unit, row.zone) == 0 {
					t.Errorf("there are no rows by %s of %s at %s", unit, row.zone, text)
				}
			}
		}
	}
}

// TestViewsAnswerAsSeriesAndBreakdowns compares both about the contract's records, in random windows.
func TestViewsAnswerAsSeriesAndBreakdowns(t *testing.T) {
	t.Parallel()
	c, i := readContract(t), install(t)
	s := i.serve()
	c.checkLoad(t, i.runWith(joined(c.lines(t)), "load", "-"), true)
	conn := i.analyst()
	var organizations []string
	for _, row := range rowsOf(t, conn, nil, "SELECT DISTINCT org_id FROM conversations ORDER BY org_id") {
		organizations = append(organizations, row["org_id"].(string))
	}
	var paths []string
	for _, row := range rowsOf(t, conn, nil, "SELECT DISTINCT arrayJoin(metadata_pair_paths) AS path FROM members_current ORDER BY path") {
		paths = append(paths, row["path"].(string))
	}
	g := newGenerator(variable(t, "ORGSTATS_TEST_SEED", rand.Uint64()))
	for _, line := range c.lines(t) {
		g.note(line)
	}
	year := url.Values{"from": {"2024-01-01T00:00:00Z"}, "to": {"2024-12-31T23:59:59.999Z"}}
	intervals, groups := 0, map[string]int{}
	for n := range 60 {
		orgID, window, zone := pick(g, organizations...), g.window(), turns[g.IntN(len(turns))].zone
		if n%10 == 0 {
			window = year
		}
		for view, rows := range checkGroupViews(s, conn, orgID, window, pick(g, append(paths, "nowhere")...)) {
			groups[view] += rows
		}
		intervals += checkIntervals(s, conn, orgID, window, pick(g, units...), zone)
	}
	for view := range groupViews {
		if groups[view] == 0 {
			t.Errorf("%s had no rows", view)
		}
	}
	if intervals == 0 {
		t.Error("there were no intervals")
	}
}
