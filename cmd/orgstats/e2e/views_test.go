package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

// analyst returns a connection of the user who may only read.
func (i *installation) analyst() clickhouse.Conn {
	i.Helper()
	conn, err := clickhouse.Open(i.Context(), i.engine().Analyst().URL(), clickhouse.Pool{MaxOpen: 4, MaxIdle: 4})
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(func() { _ = conn.Close() })
	return conn
}

// rowsOf returns the rows of a statement, by column name.
func rowsOf(t *testing.T, conn clickhouse.Conn, params clickhouse.Params, statement string) (all []map[string]any) {
	t.Helper()
	rows, err := conn.Query(clickhouse.WithParams(t.Context(), params), statement)
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	defer rows.Close()
	for rows.Next() {
		values := make([]any, len(rows.Columns()))
		for i, column := range rows.ColumnTypes() {
			values[i] = reflect.New(column.ScanType()).Interface()
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		row := map[string]any{}
		for i, name := range rows.Columns() {
			row[name] = reflect.ValueOf(values[i]).Elem().Interface()
		}
		all = append(all, row)
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return all
}

// figuresOf returns the figures in a view's row, by the endpoint's names.
func figuresOf(row map[string]any) figures {
	f := figures{}
	for column, value := range row {
		if n, ok := value.(uint64); ok {
			words := strings.Split(column, "_")
			for i, word := range words[1:] {
				words[i+1] = strings.ToUpper(word[:1]) + word[1:]
			}
			f[strings.Join(words, "")] = int64(n)
		}
	}
	return f
}

// answerer returns the figures for a question.
type answerer func(auth.Caller, url.Values) figures

func adminOf(orgID string) auth.Caller {
	return auth.Caller{OrgID: orgID, UserID: "user_admin", Role: "org:admin"}
}

// checkWindow compares the parameterized view with an answer.
func checkWindow(t *testing.T, conn clickhouse.Conn, orgID string, window url.Values, answer answerer) {
	t.Helper()
	params := clickhouse.Params{}
	params.String("org", orgID)
	params.String("first", window.Get("from"))
	params.String("last", window.Get("to"))
	rows := rowsOf(t, conn, params, "SELECT * FROM figures_in_window(org_id = {org:String}, from = {first:String}, to = {last:String})")
	window.Set("allInOrg", "true")
	want := answer(adminOf(orgID), window)
	if len(rows) != 1 || !maps.Equal(figuresOf(rows[0]), want) {
		t.Errorf("%s from %s to %s: the view gives\n%v, want\n%v", orgID, window.Get("from"), window.Get("to"), rows, want)
	}
}

// daysAsked is about how many rows of a daily view are compared, because questions take time.
const daysAsked = 60

// checkDays compares rows of the daily views with answers, and checks that no message or file is left out.
func checkDays(t *testing.T, conn clickhouse.Conn, organizations []string, answer answerer) {
	t.Helper()
	all := map[string]figures{} // sums over all rows, by organization
	for _, orgID := range organizations {
		all[orgID] = answer(adminOf(orgID), always())
	}
	for view, filter := range map[string][2]string{
		"daily_figures": {}, "daily_agent_figures": {"agent_id", "agentId"}, "daily_user_figures": {"user_id", "userId"},
	} {
		sums := map[string]figures{}
		rows := rowsOf(t, conn, nil, "SELECT * FROM "+view)
		for n, row := range rows {
			orgID, got := row["org_id"].(string), figuresOf(row)
			if sums[orgID] == nil {
				sums[orgID] = figures{}
			}
			sums[orgID]["messageCount"] += got["messageCount"]
			sums[orgID]["kbFileCount"] += got["kbFileCount"]
			if n%(len(rows)/daysAsked+1) != 0 {
				continue
			}
			question := dayOf(row["day"].(time.Time))
			if column := filter[0]; column != "" {
				if row[column] == "" {
					continue // the endpoint has no filter for messages without an agent
				}
				question.Set(filter[1], row[column].(string))
			}
			want := answer(adminOf(orgID), question)
			for name, n := range got {
				if want[name] != n {
					t.Errorf("%s has %v, want %s %d", view, row, name, want[name])
				}
			}
		}
		for orgID, want := range all {
			if sum := sums[orgID]; sum["messageCount"] != want["messageCount"] ||
				view == "daily_figures" && sum["kbFileCount"] != want["kbFileCount"] {
				t.Errorf("the days of %s in %s have %v together, want %v", orgID, view, sum, want)
			}
		}
	}
}

// dayOf returns the window of a day.
func dayOf(day time.Time) url.Values {
	date := day.Format(time.DateOnly)
	return url.Values{"from": {date + "T00:00:00Z"}, "to": {date + "T23:59:59.999Z"}, "allInOrg": {"true"}}
}

// TestViewsAnswerAsTheEndpoint asks both about the contract's windows and random ones.
func TestViewsAnswerAsTheEndpoint(t *testing.T) {
	t.Parallel()
	c, i := readContract(t), install(t)
	c.checkLoad(t, i.runWith(joined(c.lines(t)), "load", "-"), true)
	s := i.serve()
	conn := i.analyst()
	answer := func(caller auth.Caller, query url.Values) figures {
		got := s.ask(s.token(caller), query)
		if got.status != http.StatusOK {
			t.Fatalf("%v asks %v: status %d, %s", caller, query, got.status, got.body)
		}
		return decode[figures](t, got.body)
	}
	var organizations []string
	for _, row := range rowsOf(t, conn, nil, "SELECT DISTINCT org_id FROM conversations ORDER BY org_id") {
		organizations = append(organizations, row["org_id"].(string))
	}
	asked := map[string]bool{}
	for _, k := range c.Cases {
		window := url.Values{"from": {k.Query["from"]}, "to": {k.Query["to"]}}
		if k.Status == http.StatusOK && !asked[window.Encode()] {
			asked[window.Encode()] = true
			checkWindow(t, conn, k.Caller.OrganizationID, window, answer)
		}
	}
	g := newGenerator(variable(t, "ORGSTATS_TEST_SEED", rand.Uint64()))
	for _, line := range c.lines(t) {
		g.note(line)
	}
	for range 60 {
		checkWindow(t, conn, pick(g, organizations...), g.window(), answer)
	}
	checkDays(t, conn, organizations, answer)
}

// note makes the instant of a record one at which windows may begin and end.
func (g *generator) note(line []byte) {
	var r struct{ CreatedAt time.Time }
	if json.Unmarshal(line, &r) == nil && r.CreatedAt.Year() >= 1900 {
		g.made = append(g.made, r.CreatedAt.UTC().Truncate(time.Millisecond))
	}
}

// checkViews compares the views with the oracle.
func (d *propertyDriver) checkViews(conn clickhouse.Conn) {
	d.Helper()
	for view, want := range d.oracle.current() {
		var got []string
		for _, row := range rowsOf(d.T, conn, nil, "SELECT * FROM "+view) {
			got = append(got, textOf(row))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			d.Errorf("%s has\n%s\nand should have\n%s", view, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	for range 5 {
		checkWindow(d.T, conn, d.generator.organization(), d.generator.window(), d.oracle.answer)
	}
}

// textOf returns a row as text that can be compared.
func textOf(row map[string]any) string {
	var b strings.Builder
	for _, column := range slices.Sorted(maps.Keys(row)) {
		value := row[column]
		if at, ok := value.(time.Time); ok {
			value = at.UnixMilli()
		}
		fmt.Fprintf(&b, "%s=%v ", column, value)
	}
	return b.String()
}

// current returns what the views of current rows must show, as textOf writes it; for members, without what is computed
// from the metadata.
func (o *oracle) current() map[string][]string {
	views := map[string][]string{"conversations_current": nil, "messages_current": nil, "kb_files_current": nil, membersView: nil}
	for key, r := range o.records {
		if r["deletedAt"] != nil {
			continue
		}
		view, row := "", map[string]any{"updated_at": r.version()}
		switch key.kind {
		case "conversation":
			view = "conversations_current"
			row["id"], row["created_at"] = key.id, r.time("createdAt")
			row["org_id"], row["user_id"], row["agent_id"] = r.text("organizationId"), r.text("userId"), r.text("agentId")
		case "message":
			c := o.conversation(r)
			if c == nil || c["deletedAt"] != nil {
				continue
			}
			f := figures{}
			f.addMessage(r)
			view = "messages_current"
			row["id"], row["created_at"], row["role"], row["conversation_id"] = key.id, r.time("createdAt"), r.text("role"), c.text("id")
			row["org_id"], row["user_id"], row["agent_id"] = c.text("organizationId"), c.text("userId"), c.text("agentId")
			row["tool_calls"], row["total_tokens"] = f["toolCalls"], f["totalTokens"]
			row["input_tokens"], row["output_tokens"] = f["inputTokens"], f["outputTokens"]
			row["helpful"], row["not_helpful"] = f["totalHelpful"], f["totalNotHelpful"]
		case "kbFile":
			f := figures{}
			f.addFile(r)
			view = "kb_files_current"
			row["id"], row["created_at"], row["processed_at"] = key.id, r.time("createdAt"), r.either("processedAt", "createdAt")
			row["org_id"], row["knowledge_base_id"] = r.text("organizationId"), r.text("knowledgeBaseId")
			row["processing_status"], row["total_tokens"] = r.text("processingStatus"), f["kbExtractTotalTokens"]
			row["input_tokens"], row["output_tokens"] = f["kbExtractInputTokens"], f["kbExtractOutputTokens"]
		case "member":
			view = membersView
			row["org_id"], row["user_id"] = key.id, key.user
		}
		views[view] = append(views[view], textOf(row))
	}
	return views
}

const membersView = "(SELECT org_id, user_id, updated_at FROM members_current)"

// A day's rows must not move to another day, whatever zone a session has.
func TestViewsDoNotDependOnTheSessionsZone(t *testing.T) {
	t.Parallel()
	i := install(t)
	lines := append(conversationLine("c1"), `{"type":"message","id":"m1","conversationId":"c1","role":"user","createdAt":"1969-12-31T23:59:59.999Z"}`...)
	if o := i.runWith(lines, "load", "-"); o.status != cli.ExitOK {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	conn := i.analyst()
	for _, zone := range []string{"UTC", "Asia/Tokyo", "America/Los_Angeles"} {
		for _, statement := range []string{
			"SELECT count() FROM daily_figures WHERE day = '1969-12-31' AND message_count = 1",
			"SELECT message_count FROM figures_in_window(org_id = 'org_a', from = '1969-12-31T23:59:59.999', to = '1969-12-31 23:59:59.999')",
		} {
			ctx, cancel := clickhouse.WithStatement(context.WithoutCancel(t.Context()), clickhouse.Statement{Settings: map[string]any{"session_timezone": zone}})
			var n uint64
			if err := conn.QueryRow(ctx, statement).Scan(&n); err != nil || n != 1 {
				t.Errorf("in %s, %s gave %d, %v, want 1", zone, statement, n, err)
			}
			cancel()
		}
	}
}
