package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/service/auth"
)

var (
	dashboardAdmin  = auth.Caller{OrgID: "org_dash", UserID: "user_0", Role: "org:admin"}
	dashboardMember = auth.Caller{OrgID: "org_dash", UserID: "user_0", Role: "org:member"}
	dashboardNobody = auth.Caller{OrgID: "org_none", UserID: "user_0", Role: "org:admin"}
)

// Names as people and programs give them: markup, a formula, scripts that run from right to left, a line's end.
var (
	unusualAgents = []string{`<img src=x onerror=alert(1)>`, `=1+1`, `सहायक`, `وكيل "المبيعات"`, `客服, 二号`, "a\nb"}
	unusualUsers  = []string{"user_0", "عائشة 🙂", "<script>alert(2)</script>", "Žofie & Søn", "user_4", "user_5"}
)

// dashboardRecords are conversations of the last hundred days: of 200 agents and of none, most of a few.
func dashboardRecords(now time.Time) []byte {
	var lines bytes.Buffer
	add := func(r object) { lines.Write(append(mustMarshal(r), '\n')) }
	departments := []any{"Sales", "Support", "<b>Legal</b>", []string{"Sales", "Finance"}, 4, nil}
	for n, user := range unusualUsers {
		metadata := object{"department": departments[n]}
		if departments[n] == nil {
			metadata = object{}
		}
		add(object{"type": "member", "organizationId": "org_dash", "userId": user, "publicMetadata": metadata, "updatedAt": written(now)})
	}
	for n := range 600 {
		addDashboardConversation(add, n, now.Add(-time.Duration(n)*4*time.Hour))
	}
	for n := range 30 {
		add(object{
			"type": "kbFile", "id": n, "organizationId": "org_dash", "knowledgeBaseId": n % 4,
			"createdAt": written(now.Add(-time.Duration(n) * 70 * time.Hour)), "extractInputTokens": 5000 + n, "extractOutputTokens": n,
		})
	}
	return lines.Bytes()
}

func addDashboardConversation(add func(object), n int, at time.Time) {
	id := fmt.Sprint("c", n)
	add(object{
		"type": "conversation", "id": id, "organizationId": "org_dash", "userId": unusualUsers[n%len(unusualUsers)],
		"agentId": dashboardAgent(n), "createdAt": written(at.Add(-time.Minute)),
	})
	for m, role := range []string{"user", "assistant", "tool"} {
		message := object{
			"type": "message", "id": fmt.Sprint(id, "m", m), "conversationId": id, "role": role,
			"createdAt": written(at.Add(time.Duration(m-30) * time.Second)),
		}
		if role == "assistant" {
			message["usage"] = object{"inputTokens": 700 + n, "outputTokens": 90 + m}
			message["feedback"] = []any{nil, "helpful", "not_helpful"}[n%3]
			message["toolInvocations"] = make([]struct{}, n%2)
		}
		add(message)
	}
}

// dashboardAgent returns the agent of a conversation: each of 200 has one, and few have most of the others.
func dashboardAgent(n int) any {
	k := n
	if n >= 200 {
		k = n * n % 17
	}
	switch {
	case k == 16:
		return nil
	case k < len(unusualAgents):
		return unusualAgents[k]
	}
	return fmt.Sprint("agent_", k)
}

func written(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// embedder is an application that embeds the dashboard, as docs/dashboard.md describes it.
var embedder = template.Must(template.New("embedder").Parse(`<!DOCTYPE html>
<title>An application</title>
<iframe src="{{.Service}}/?window=7d" width="1000" height="800"></iframe>
<script>
  const frame = document.querySelector("iframe"), tokens = {{.Tokens}};
  frame.onload = () => { tried = true; };
  tried = false; handed = 0; kind = "admin";
  hand = () => { handed++; frame.contentWindow.postMessage({type: "orgstats:token", token: tokens[kind]}, "{{.Service}}"); };
  addEventListener("message", (event) => {
    if (event.origin === "{{.Service}}" && event.data.type === "orgstats:token-request") hand();
  });
</script>
`))

// TestDashboardInABrowser starts what the tests in web/browser need, and runs them.
func TestDashboardInABrowser(t *testing.T) {
	t.Parallel()
	i := install(t)
	now := time.Now()
	if o := i.runWith(dashboardRecords(now), "load", "-"); o.status != cli.ExitOK {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	var page struct {
		Service string
		Tokens  map[string]string
	}
	application := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _ = embedder.Execute(w, page) })
	friend, stranger := httptest.NewServer(application), httptest.NewServer(application)
	defer friend.Close()
	defer stranger.Close()
	s := i.serveWith(append(unlimited, "--embed-origins", friend.URL)...)
	limited := i.serveWith("--user-rate=1")
	page.Service, page.Tokens = "http://"+s.address, s.dashboardTokens()
	control := httptest.NewServer(s.dashboardControl(now))
	defer control.Close()
	i.runBrowserTests(map[string]any{
		"service": page.Service, "limited": "http://" + limited.address, "tokens": page.Tokens, "browser": browser(t),
		"embedder": friend.URL, "stranger": stranger.URL, "control": control.URL,
	})
}

// dashboardTokens returns tokens of several callers, and one that has expired.
func (s *server) dashboardTokens() map[string]string {
	s.Helper()
	expired, err := s.key.Sign(dashboardAdmin, time.Second)
	if err != nil {
		s.Fatal(err)
	}
	if !enginetest.Eventually(func() bool { return s.ask(expired, always()).status == http.StatusUnauthorized }) {
		s.Fatal("a token does not expire")
	}
	return map[string]string{
		"admin": s.token(dashboardAdmin), "member": s.token(dashboardMember), "nobody": s.token(dashboardNobody), "expired": expired,
	}
}

// dashboardControl lets the browser's tests load a record and kill the engine.
func (s *server) dashboardControl(now time.Time) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/load", func(w http.ResponseWriter, _ *http.Request) {
		line := mustMarshal(object{
			"type": "message", "id": "another", "conversationId": "c0", "role": "user", "createdAt": written(now.Add(-time.Second)),
		})
		if o := s.runWith(line, "load", "-"); o.status != cli.ExitOK {
			http.Error(w, o.stderr, http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("/kill", func(w http.ResponseWriter, _ *http.Request) {
		for _, pid := range s.engines() {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
			}
		}
	})
	return mux
}

// runBrowserTests runs web/browser, which reads the settings from its environment.
func (i *installation) runBrowserTests(settings map[string]any) {
	i.Helper()
	text, err := json.Marshal(settings)
	if err != nil {
		i.Fatal(err)
	}
	command := exec.CommandContext(i.Context(), "node", "browser/all.mjs")
	command.Dir = repositoryFile("web")
	command.Env = append(os.Environ(), "ORGSTATS_TEST_DASHBOARD="+string(text))
	output, err := command.CombinedOutput()
	if err != nil {
		i.Errorf("%v (make web fetches what these tests need)\n%s", err, output)
	}
	used := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	i.Logf("%s\nthe tests took %s of a processor", output, used)
}
