package e2e

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
)

// repositoryText returns the text of a file of the repository.
func repositoryText(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(repositoryFile(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns a page's fenced blocks in a language.
func blocks(t *testing.T, page, language string) (all []string) {
	t.Helper()
	for _, found := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(page, -1) {
		all = append(all, found[1])
	}
	if len(all) == 0 {
		t.Fatalf("the page has no %s", language)
	}
	return all
}

// documented returns records with which every query of the page has a result. One conversation has moved to another
// organization.
func documented() (first, second []byte) {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	const at = "2026-01-05T09:00:00Z"
	for _, org := range []string{"org_1", "org_2"} {
		for n := range 3 {
			id := fmt.Sprint(org, "_c", n)
			line(`{"type":"conversation","id":%q,"organizationId":%q,"userId":"user_%d","agentId":"agent_1","createdAt":%q}`, id, org, n, at)
			line(`{"type":"member","organizationId":%q,"userId":"user_%d","publicMetadata":{"team":"red"},"updatedAt":%q}`, org, n, at)
			line(`{"type":"message","id":"%s_m","conversationId":%q,"role":"user","createdAt":%q,"feedback":"helpful"}`, id, id, at)
			line(`{"type":"message","id":"%s_today","conversationId":%q,"role":"user","createdAt":%q}`, id, id, time.Now().UTC().Format(time.RFC3339))
		}
		line(`{"type":"conversation","id":"%s_silent","organizationId":%q,"userId":"user_1","createdAt":%q}`, org, org, at)
		line(`{"type":"kbFile","id":"%s_f","organizationId":%q,"knowledgeBaseId":"kb","processingStatus":"failed","createdAt":%q}`, org, org, at)
	}
	line(`{"type":"message","id":"waiting","conversationId":"unknown","role":"user","createdAt":%q}`, at)
	line(`{"type":"conversation","id":"moved","organizationId":"org_1","userId":"user_1","createdAt":%q}`, at)
	line(`{"type":"message","id":"moved_m","conversationId":"moved","role":"user","createdAt":%q}`, at)
	moved := fmt.Appendf(nil, `{"type":"conversation","id":"moved","organizationId":"org_2","userId":"user_1","createdAt":%q,"updatedAt":"2026-01-06T00:00:00Z"}`, at)
	return []byte(b.String()), moved
}

// loadDocumented loads the documented records, in two loads.
func (i *installation) loadDocumented() {
	i.Helper()
	first, second := documented()
	for _, lines := range [][]byte{first, second} {
		if o := i.runWith(lines, "load", "-"); o.status != cli.ExitOK {
			i.Fatalf("status %d: %s", o.status, o.stderr)
		}
	}
}

func TestQueriesOfThePageAnswer(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.engine() // else each load starts one
	i.loadDocumented()
	analyst, page := i.analyst(), repositoryText(t, "docs", "sql.md")
	for _, query := range blocks(t, page, "sql") {
		if rows := rowsOf(t, analyst, nil, query); len(rows) == 0 {
			t.Errorf("there is no answer to\n%s", query)
		}
	}
	for _, row := range rowsOf(t, analyst, nil, "SELECT name FROM system.tables WHERE database = 'orgstats' AND name != 'schema_migrations'") {
		if name := row["name"].(string); !strings.Contains(page, "`"+name) {
			t.Errorf("the page says nothing of %s", name)
		}
	}
}

func TestPageTellsOfEveryView(t *testing.T) {
	t.Parallel()
	page := repositoryText(t, "docs", "sql.md")
	for line := range strings.Lines(repositoryText(t, "schema", "testdata", "views.txt")) {
		view, rest, _ := strings.Cut(line, " ")
		column, _, _ := strings.Cut(rest, " ")
		if name, parameter, ok := strings.Cut(strings.TrimSuffix(view, ")"), "("); ok {
			view, column = name, parameter
		}
		if !strings.Contains(page, "| `"+view) {
			t.Errorf("the page says nothing of %s", view)
		}
		if !strings.Contains(page, "`"+column+"`") && !strings.Contains(page, column+" = …") {
			t.Errorf("the page says nothing of the column %s of %s", column, view)
		}
	}
}

// ofOneOrganization writes the page's example of an analyst of org_1 to the data directory, and connects as that user.
func (i *installation) ofOneOrganization() clickhouse.Conn {
	i.Helper()
	users := filepath.Join(i.data(), "users.d")
	if err := os.MkdirAll(users, 0o700); err != nil {
		i.Fatal(err)
	}
	example := blocks(i.T, repositoryText(i.T, "docs", "sql.md"), "xml")[0]
	if err := os.WriteFile(filepath.Join(users, "analyst_org_1.xml"), []byte(example), 0o600); err != nil {
		i.Fatal(err)
	}
	c := i.engine().Analyst()
	c.User, c.Password = "analyst_org_1", "the password"
	conn, err := clickhouse.Open(i.Context(), c.URL(), clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		i.Fatal(err)
	}
	i.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestAnalystOfOneOrganizationSeesNoOther(t *testing.T) {
	t.Parallel()
	i := install(t)
	conn := i.ofOneOrganization()
	i.loadDocumented()
	const every = "from = '1900-01-01', to = '2299-12-31'"
	for _, row := range []struct {
		why, statement string
		want           uint64
	}{
		{"own conversations", "SELECT count() FROM conversations_current", 4},
		{"of one's own only, even those that were one's own", "SELECT countIf(org_id != 'org_1') FROM conversations FINAL", 0},
		{"own messages", "SELECT count() FROM messages_current", 6},
		{"and no others", "SELECT countIf(org_id != 'org_1') FROM messages", 0},
		{"own members", "SELECT count() FROM members_current", 3},
		{"own files", "SELECT count() FROM kb_files_current", 1},
		{"own days", "SELECT sum(message_count) FROM daily_figures", 6},
		{"days of own agents", "SELECT sum(message_count) FROM daily_agent_figures", 6},
		{"days of own users", "SELECT sum(message_count) FROM daily_user_figures", 6},
		{"own figures", "SELECT message_count FROM figures_in_window(org_id = 'org_1', " + every + ")", 6},
		{"not another's", "SELECT message_count + kb_file_count FROM figures_in_window(org_id = 'org_2', " + every + ")", 0},
		{"own intervals", "SELECT sum(message_count) FROM figures_by_interval_in_window(org_id = 'org_1', interval = 'day', time_zone = 'UTC', " + every + ")", 6},
		{"own agents", "SELECT sum(message_count) FROM figures_by_agent_in_window(org_id = 'org_1', " + every + ")", 6},
		{"own users", "SELECT sum(message_count) FROM figures_by_user_in_window(org_id = 'org_1', " + every + ")", 6},
		{"own roles", "SELECT sum(message_count) FROM figures_by_role_in_window(org_id = 'org_1', " + every + ")", 6},
		{"no file of one's own was processed", "SELECT sum(kb_file_count) FROM figures_by_knowledge_base_in_window(org_id = 'org_1', " + every + ")", 0},
		{"own values of metadata", "SELECT sum(message_count) FROM figures_by_metadata_in_window(org_id = 'org_1', path = 'team', " + every + ")", 6},
		{"not another's values", "SELECT count() FROM figures_by_metadata_in_window(org_id = 'org_2', path = 'team', " + every + ")", 0},
		{"nor by way of another table", "SELECT countIf(org_id != 'org_1') FROM merge('orgstats', '^messages$')", 0},
	} {
		var n uint64
		if err := conn.QueryRow(t.Context(), row.statement).Scan(&n); err != nil || n != row.want {
			t.Errorf("%s: %s gave %d, %v, want %d", row.why, row.statement, n, err, row.want)
		}
	}
	for _, hidden := range []string{"waiting_messages", "stats_cells", "user_activity", "changes", "users", "record_positions", "system.query_log", "system.processes"} {
		if err := conn.Exec(t.Context(), "SELECT * FROM "+hidden); err == nil {
			t.Errorf("%s can be read", hidden)
		}
	}
	for _, row := range rowsOf(t, i.analyst(), nil, "SELECT uniqExact(org_id) AS n FROM messages_current") {
		if row["n"] != uint64(2) {
			t.Errorf("the analyst of all organizations sees %v", row)
		}
	}
}

// The embedded engine can't create users with SQL, so that the script for servers is only read here, not run.
func TestServersScriptMakesTheSameUser(t *testing.T) {
	t.Parallel()
	i := install(t)
	conn := i.analyst()
	script := regexp.MustCompile(`(?m)^--.*\n`).ReplaceAllString(repositoryText(t, "clickhouse", "server", "analyst-of-one-organization.sql"), "")
	grants := map[string]bool{}
	for statement := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(script), ";"), ";") {
		params := clickhouse.Params{}
		params.String("statement", strings.TrimSpace(statement))
		for _, row := range rowsOf(t, conn, params, "SELECT formatQuerySingleLine({statement:String}) AS text") {
			if grant, ok := strings.CutPrefix(row["text"].(string), "GRANT "); ok {
				grants[strings.TrimSuffix(grant, " TO analyst_org_1")] = true
			}
		}
	}
	page := map[string]bool{}
	for _, found := range regexp.MustCompile(`<query>GRANT (.*?)</query>`).FindAllStringSubmatch(blocks(t, repositoryText(t, "docs", "sql.md"), "xml")[0], -1) {
		page[found[1]] = true
	}
	if !maps.Equal(grants, page) {
		t.Errorf("the script grants %q, the page %q", slices.Sorted(maps.Keys(grants)), slices.Sorted(maps.Keys(page)))
	}
}
