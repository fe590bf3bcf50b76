package service

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

func TestAnswerIsTheFiguresInOrder(t *testing.T) {
	got := start(t, Config{}).ask(t, admin, day)
	want := `{"conversationCount":3,"messageCount":0,"toolCalls":0,"totalTokens":0,"inputTokens":0,"outputTokens":0,` +
		`"uniqueUsers":0,"uniqueAgents":0,"totalFeedback":0,"totalHelpful":0,"totalNotHelpful":0,"kbFileCount":0,` +
		`"kbCount":0,"kbExtractTotalTokens":0,"kbExtractInputTokens":0,"kbExtractOutputTokens":7}`
	if got.status != http.StatusOK || got.body != want {
		t.Errorf("got %d %s, want 200 %s", got.status, got.body, want)
	}
	for name, value := range map[string]string{
		"Content-Type": "application/json; charset=utf-8", "Cache-Control": "private, no-cache",
		"X-Content-Type-Options": "nosniff", "Server": "",
	} {
		if got.header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.header.Get(name), value)
		}
	}
}

func TestQuestion(t *testing.T) {
	from, until := unixMilli(t, "2024-01-01T00:00:00Z"), unixMilli(t, "2024-01-02T00:00:00Z")
	base := stats.Question{OrgID: "org_1", From: from, Until: until}
	with := func(change func(*stats.Question)) stats.Question {
		q := base
		change(&q)
		return q
	}
	mine := with(func(q *stats.Question) { q.UserID = "user_2" })
	asked := &recorder{}
	service := start(t, Config{Answerer: asked})
	for _, row := range []struct {
		why    string
		caller auth.Caller
		query  string
		want   stats.Question
	}{
		{"a member sees their own", member, day, mine},
		{"an admin who does not ask for all sees their own", admin, day, with(func(q *stats.Question) { q.UserID = "user_1" })},
		{"false is the default", member, day + "&allInOrg=false", mine},
		{"an admin sees all", admin, day + "&allInOrg=true", base},
		{"one's own id is always allowed", member, day + "&userId=user_2", mine},
		{
			"an admin may single out another", admin, day + "&allInOrg=true&userId=user_9",
			with(func(q *stats.Question) { q.UserID = "user_9" }),
		},
		{"or themselves", admin, day + "&allInOrg=true&userId=user_1", with(func(q *stats.Question) { q.UserID = "user_1" })},
		{"empty values are not given", member, day + "&agentId=&userId=&metadataKey=&metadataValue=&allInOrg=", mine},
		{"a bare name has an empty value", member, day + "&agentId&allInOrg", mine},
		{"empty pairs are nothing", member, "&&" + day + "&", mine},
		{
			"filters are exact bytes", member, day + "&agentId=a%2Bb&metadataKey=K.x&metadataValue=%00%27%7B",
			with(func(q *stats.Question) {
				q.UserID, q.AgentID, q.MetadataKey, q.MetadataValue = "user_2", "a+b", "K.x", "\x00'{"
			}),
		},
		{"a plus is a space", member, day + "&agentId=a+b", with(func(q *stats.Question) { q.UserID, q.AgentID = "user_2", "a b" })},
		{
			"a URL need not be escaped in a value", member, day + "&metadataValue=https://x.org/?a=b",
			with(func(q *stats.Question) { q.UserID, q.MetadataValue = "user_2", "https://x.org/?a=b" }),
		},
		{
			"only the first equals sign divides", member, day + "&agentId=a=b",
			with(func(q *stats.Question) { q.UserID, q.AgentID = "user_2", "a=b" }),
		},
		{
			"long ids match nothing and are no mistake", member, day + "&agentId=" + strings.Repeat("a", 1000),
			with(func(q *stats.Question) { q.UserID, q.AgentID = "user_2", strings.Repeat("a", 1000) }),
		},
		{
			"100 KiB of quotes fit", member, day + "&metadataValue=" + strings.Repeat("%27", 100<<10),
			with(func(q *stats.Question) { q.UserID, q.MetadataValue = "user_2", strings.Repeat("'", 100<<10) }),
		},
	} {
		t.Run(row.why, func(t *testing.T) {
			if got := service.ask(t, row.caller, row.query); got.status != http.StatusOK {
				t.Fatalf("got %d %s, want 200", got.status, got.body)
			}
			if got := asked.only(t); got != row.want {
				t.Errorf("asked %.300v, want %.300v", got, row.want)
			}
		})
	}
}

func TestRefusedParameters(t *testing.T) {
	asked := &recorder{}
	service := start(t, Config{Answerer: asked})
	for _, row := range []struct {
		why, query string
		paths      []string // of the mistakes
		says       string   // part of the sentence, for one mistake
	}{
		{"both times are required", "", []string{"from", "to"}, ""},
		{"an empty time is none", "from=&to=2024-01-01T00:00:00Z", []string{"from"}, "from is missing"},
		{"an offset's plus must be escaped", "from=2024-01-01T00:00:00+02:00&to=2024-02-01T00:00:00Z", []string{"from"}, "%2B"},
		{"a parameter is given once", day + "&agentId=a&agentId=a", []string{"agentId"}, "more than once"},
		{"even when it is empty", day + "&agentId=&agentId=", []string{"agentId"}, "more than once"},
		{"and is blamed once", day + "&agentId=a&agentId=b&agentId=c", []string{"agentId"}, ""},
		{"another case is another name", day + "&agentID=1", []string{"agentID"}, "write agentId"},
		{"an unknown name", day + "&org=org_2", []string{"org"}, `"org" is not a parameter`},
		{"an unknown name without a value", day + "&org=", []string{"org"}, ""},
		{"a nameless value", day + "&=x", []string{""}, ""},
		{"allInOrg is true or false", day + "&allInOrg=TRUE", []string{"allInOrg"}, `"TRUE"`},
		{"1 is not true", day + "&allInOrg=1", []string{"allInOrg"}, ""},
		{"a spoilt percent sign in a value", day + "&agentId=100%", []string{"agentId"}, "%25"},
		{"a spoilt percent sign in a name", day + "&agent%zz=1", []string{"agent%zz"}, "%25"},
		{"a spoilt time is not also missing", "from=%&to=2024-01-01T00:00:00Z", []string{"from"}, "%25"},
		{"semicolons don't separate", day + "&agentId=a;userId=b", []string{"agentId"}, "%3B"},
		{"fragments don't reach servers", day + "&agentId=a#b", []string{"agentId"}, "%23"},
		{"text is UTF-8", day + "&metadataValue=%ff", []string{"metadataValue"}, "UTF-8"},
		{"unescaped text too", day + "&metadataValue=\xff", []string{"metadataValue"}, "UTF-8"},
		{
			"all mistakes are listed", "from=x&to=2024-02-30T00:00:00Z&allInOrg=yes&a=1&agentId=1&agentId=2",
			[]string{"a", "agentId", "from", "to", "allInOrg"},
			"",
		},
		{"but not any number", day + strings.Repeat("&x", 5) + manyNames(maxMistakes), nil, ""},
		{"too many are not even read", day + manyNames(maxParameters), []string{""}, "more than 32 parameters"},
		{"nor are a hundred thousand", strings.Repeat("a&", 100_000), []string{""}, "more than 32 parameters"},
		{"a value has a bound", day + "&agentId=" + strings.Repeat("x", maxValue+1), []string{"agentId"}, "at most 131072"},
	} {
		t.Run(row.why, func(t *testing.T) {
			connection := service.dial(t)
			send(t, connection, rawRequest(admin, row.query))
			got := readAnswer(t, connection)
			if got.status != http.StatusBadRequest || !strings.Contains(got.Error, row.says) {
				t.Fatalf("got %d %s, want 400 with %q", got.status, got.body, row.says)
			}
			if row.paths == nil {
				if len(got.Details) != maxMistakes {
					t.Errorf("%d mistakes are listed, want %d", len(got.Details), maxMistakes)
				}
				return
			}
			if len(row.paths) == 1 {
				if got.Details != nil {
					t.Errorf("one mistake has details: %s", got.body)
				}
				return
			}
			var paths []string
			for _, m := range got.Details {
				paths = append(paths, m.Path)
			}
			if fmt.Sprint(paths) != fmt.Sprint(row.paths) {
				t.Errorf("mistakes of %v, want %v", paths, row.paths)
			}
		})
	}
	if len(asked.questions) != 0 {
		t.Errorf("refused requests were asked all the same: %v", asked.questions)
	}
}

func manyNames(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "&x%d", i)
	}
	return text.String()
}

func TestRefusalsInOrder(t *testing.T) {
	const notAdmin = "Unauthorized: User is not an admin in this organization"
	lost := auth.Caller{UserID: "user_1"}
	service := start(t, Config{})
	for _, row := range []struct {
		why, query string
		header     http.Header
		status     int
		sentence   string // "" is any
	}{
		{"no token, whatever the parameters", "x=1", nil, 401, "Unauthorized"},
		{"a bad token", day, bearer("nonsense"), 401, "Unauthorized"},
		{"another scheme", day, http.Header{"Authorization": {"Basic " + tokenOf(admin)}}, 401, "Unauthorized"},
		{"two tokens", day, http.Header{"Authorization": {"Bearer " + tokenOf(admin), "Bearer " + tokenOf(member)}}, 401, "Unauthorized"},
		{"a token in the query is a parameter", day + "&token=" + tokenOf(admin), nil, 401, "Unauthorized"},
		{"no organization comes before parameters", "x=1", bearer(tokenOf(lost)), 400, "User is not part of any organization"},
		{"and before the role", day + "&allInOrg=true", bearer(tokenOf(lost)), 400, "User is not part of any organization"},
		{"parameters come before the role", "allInOrg=true&x=1", bearer(tokenOf(member)), 400, ""},
		{"a member asks for all", day + "&allInOrg=true", bearer(tokenOf(member)), 403, notAdmin},
		{"a member asks for all, then themselves", day + "&allInOrg=true&userId=user_2", bearer(tokenOf(member)), 403, notAdmin},
		{"a member asks for another", day + "&userId=user_1", bearer(tokenOf(member)), 403, notAdmin},
		{"an admin asks for another without allInOrg", day + "&userId=user_2", bearer(tokenOf(admin)), 403, notAdmin},
		{
			"the bare role is none", day + "&allInOrg=true",
			bearer(tokenOf(auth.Caller{UserID: "u", OrgID: "o", Role: "admin"})), 403, notAdmin,
		},
		{"a user is needed", day, bearer(tokenOf(auth.Caller{OrgID: "org_1"})), 500, "Internal Server Error"},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := service.do(t, http.MethodGet, statsPath+"?"+row.query, row.header)
			if got.status != row.status || row.sentence != "" && got.Error != row.sentence {
				t.Errorf("got %d %s, want %d %q", got.status, got.body, row.status, row.sentence)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (challenge == "Bearer") != (row.status == 401) {
				t.Errorf("WWW-Authenticate is %q with status %d", challenge, row.status)
			}
		})
	}
}

func TestContractCases(t *testing.T) {
	text, err := os.ReadFile("../testdata/contract/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Cases []struct {
			Name   string
			Caller *struct{ OrganizationID, UserID, Role string }
			Query  map[string]string
			Status int
			Error  string
		}
	}
	if err := json.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	if len(contract.Cases) < 300 {
		t.Fatalf("the contract has only %d cases", len(contract.Cases))
	}
	service := start(t, Config{})
	for _, c := range contract.Cases {
		var pairs []string
		for name, value := range c.Query {
			pairs = append(pairs, name, value)
		}
		var header http.Header
		if c.Caller != nil {
			header = bearer(tokenOf(auth.Caller{UserID: c.Caller.UserID, OrgID: c.Caller.OrganizationID, Role: c.Caller.Role}))
		}
		got := service.do(t, http.MethodGet, statsPath+"?"+encodeQuery(pairs...), header)
		if got.status != c.Status || c.Error != "" && got.Error != c.Error {
			t.Errorf("%s: got %d %s, want %d %s", c.Name, got.status, got.body, c.Status, c.Error)
		}
	}
}

func unixMilli(t *testing.T, text string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}
