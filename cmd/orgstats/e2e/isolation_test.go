package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

// hostile are texts that have misled programs.
var hostile = []string{
	`'`, `"`, "`", `\`, `\'`, `''`, `\\' OR 1=1 --`, `' OR 1=1 --`, `' OR '1'='1`, `") OR (1=1`, `'; DROP TABLE messages; --`,
	`{org_id:String}`, `{user_id:String}`, `{conditions}`, `{`, `}`, `{{}}`, `${org_id}`, `$1`, `?`, `:org_id`, `@org_id`, `%`, `_`, `%%`, `%s%d%n`, `*`,
	`org_b`, `org_a,org_b`, `org_b' --`, `' UNION ALL SELECT * FROM messages --`, `) FORMAT JSON`, `/*`, `--`, `#`, `\N`, `NULL`, `[]`, `['a']`, `\x27`, `\0`,
	"\x00", "a\x00b", "\n", "\r\n", "\t", " ", "\u2028", "\u00a0", "\ufeff", "é", "\U0001F600", "\u202eadmin", "ﬁ", "\x7f", "\x1b[2J",
	"0", "-1", "1e9", "true", "null", "undefined", "NaN",
}

// unreadable are texts that are not valid UTF-8, or too long for anything.
var unreadable = []string{"\xff", "a\xc3", "\xed\xa0\x80", strings.Repeat("a", 100<<10), strings.Repeat("'", 100<<10), strings.Repeat("{org_id:String}", 7000)}

// small and large are the figures of the two organizations: no figure of org_b can be mistaken for one of org_a.
var (
	small = stats.Figures{
		ConversationCount: 3, MessageCount: 3, ToolCalls: 3, TotalTokens: 6, InputTokens: 3, OutputTokens: 3, UniqueUsers: 3, UniqueAgents: 3,
		TotalFeedback: 3, TotalHelpful: 3, TotalNotHelpful: 3, KBFileCount: 1, KBCount: 1, KBExtractTotalTokens: 1,
		KBExtractInputTokens: 1, KBExtractOutputTokens: 1,
	}
	adminOfB = auth.Caller{OrgID: "org_b", UserID: "user_1", Role: "org:admin"}
)

// twoOrganizations loads an organization of one message for each of three users, and another of a hundred messages for
// each of the same users, with the same agents, and with every hostile text in their metadata.
func twoOrganizations(t *testing.T) *server {
	t.Helper()
	var b bytes.Buffer
	records := json.NewEncoder(&b)
	write := func(r object) {
		if err := records.Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	const at = "2024-05-05T05:05:05.005Z"
	for org, size := range map[string]int{"org_a": 1, "org_b": 100} {
		for user := range 3 {
			userID := fmt.Sprint("user_", user)
			write(object{
				"type": "member", "organizationId": org, "userId": userID, "updatedAt": at,
				"publicMetadata": object{"texts": hostile, "org_b": object{"org": org}},
			})
			for n := range size {
				id := fmt.Sprintf("c_%s_%d_%d", org, user, n)
				write(object{"type": "conversation", "id": id, "organizationId": org, "userId": userID, "agentId": fmt.Sprint("agent_", user), "createdAt": at})
				write(object{
					"type": "message", "id": "m" + id, "conversationId": id, "role": "user", "createdAt": at, "feedback": "helpful",
					"toolInvocations": make([]int, size), "usage": object{"inputTokens": size * size, "outputTokens": size * size},
				})
			}
		}
		for n := range size {
			write(object{
				"type": "kbFile", "id": fmt.Sprint(org, n), "organizationId": org, "knowledgeBaseId": fmt.Sprint(n), "createdAt": at,
				"extractInputTokens": size * size, "extractOutputTokens": 0,
			})
		}
	}
	i := install(t)
	if o := i.runWith(b.Bytes(), "load", "-"); o.status != cli.ExitOK {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	return i.serve()
}

// checkSmall checks that an answer to a caller from org_a has no more than org_a's figures, and is no failure of the
// service.
func checkSmall(t *testing.T, what string, a answer) {
	t.Helper()
	if len(what) > 200 {
		what = what[:200] + "…"
	}
	if a.status >= 500 {
		t.Errorf("%s: status %d: %s", what, a.status, a.body)
	}
	if a.status != http.StatusOK {
		return
	}
	if largerThanSmall(decode[any](t, a.body)) {
		t.Errorf("%s: shows another organization: %.2000s", what, a.body)
	}
}

// largerThanSmall reports whether some figure, anywhere in an answer, is larger than org_a's.
func largerThanSmall(v any) bool {
	switch v := v.(type) {
	case []any:
		return slices.ContainsFunc(v, largerThanSmall)
	case map[string]any:
		for name, value := range v {
			if n := slices.Index(stats.FigureNames, name); n >= 0 && value.(float64) > float64(small.Values()[n]) || largerThanSmall(value) {
				return true
			}
		}
	}
	return false
}

func TestOrganizationsAreIsolated(t *testing.T) {
	t.Parallel()
	s := twoOrganizations(t)
	if got := s.figures(adminOfB, always()); got.MessageCount != 300 || got.TotalTokens != 300*20000 || got.KBFileCount != 100 {
		t.Fatalf("org_b has %+v", got)
	}
	if got := s.figures(adminOfA, always()); got.MessageCount != 3 || got.TotalTokens != 6 || got.KBFileCount != 1 {
		t.Fatalf("org_a has %+v", got)
	}
	t.Run("metadata", func(t *testing.T) {
		for _, text := range hostile {
			q := always()
			q.Set("metadataValue", text)
			q.Set("metadataKey", "texts")
			if got := s.figures(adminOfA, q); got.MessageCount != 3 {
				t.Errorf("metadata %q finds %d messages, want 3", text, got.MessageCount)
			}
		}
	})
	t.Run("parameters", func(t *testing.T) { checkParameters(t, s) })
	t.Run("parameters of groups", func(t *testing.T) { checkGroupParameters(t, s) })
	t.Run("groups", func(t *testing.T) { checkGroups(t, s) })
	t.Run("headers", func(t *testing.T) { checkHeaders(t, s) })
	if got := s.figures(adminOfB, always()); got.MessageCount != 300 {
		t.Errorf("org_b has %+v in the end", got)
	}
}

// checkParameters sends every text in every parameter, as value and as name.
func checkParameters(t *testing.T, s *server) {
	callers := []auth.Caller{adminOfA, {OrgID: "org_a", UserID: "user_1", Role: "org:member"}}
	for n, text := range append(append([]string{}, hostile...), unreadable...) {
		for _, name := range []string{"from", "to", "allInOrg", "agentId", "userId", "metadataKey", "metadataValue", text} {
			query := always()
			query.Set(name, text)
			caller := callers[n%len(callers)]
			if caller.Role != "org:admin" {
				query.Del("allInOrg")
			}
			checkSmall(t, name+"="+text, s.ask(s.token(caller), query))
		}
	}
	for _, raw := range []string{"%", "%zz", "a=%00", "agentId=%c0%a7", "metadataKey[]=a", "&&&=", "?", "from=1&from=2", "%61llInOrg=true", "orgId=org_b", "organizationId=org_b"} {
		checkSmall(t, raw, s.raw(s.token(adminOfA), "GET /api/dashboard/getStats?"+always().Encode()+"&"+raw, ""))
	}
}

// checkHeaders sends every text that is possible in a header in many of them.
func checkHeaders(t *testing.T, s *server) {
	start := "GET /api/dashboard/getStats?" + always().Encode()
	token := s.token(adminOfA)
	for _, text := range append(append([]string{}, hostile...), unreadable...) {
		if strings.ContainsAny(text, "\r\n") {
			text = url.QueryEscape(text) // else it would be two headers
		}
		for _, name := range []string{"X-Request-Id", "X-Organization-Id", "X-Forwarded-For", "Cookie", "User-Agent", "Accept", "Content-Length", "Authorization"} {
			checkSmall(t, name+": "+text, s.raw(token, start, name+": "+text+"\r\n"))
		}
	}
	for _, authorization := range []string{"Bearer", "Bearer ", "Basic " + token, "bearer  " + token, "Bearer " + s.token(adminOfB) + " " + token} {
		checkSmall(t, "Authorization: "+authorization, s.raw("", start, "Authorization: "+authorization+"\r\n"))
	}
}

// raw sends a request that no well-behaved client would.
func (s *server) raw(token, start, headers string) answer {
	s.Helper()
	if token != "" {
		headers += "Authorization: Bearer " + token + "\r\n"
	}
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	go func() { // the answer may arrive before everything is sent
		_, _ = io.WriteString(conn, start+" HTTP/1.1\r\nHost: test\r\nConnection: close\r\n"+headers+"\r\n")
	}()
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		s.Errorf("%.100q: %v", headers, err)
		return answer{}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.Errorf("%.100q: %v", headers, err)
	}
	return answer{response.StatusCode, response.Header, string(body)}
}
