package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/service/stats"
)

// The demo prints the address of a page, a request that works, and commands that work for people who query ClickHouse.
func TestDemoPrintsARequestThatWorks(t *testing.T) {
	t.Parallel()
	i := install(t)
	arguments := []string{"demo", "--listen", "127.0.0.1:0", "--messages", "5000"}
	p := i.start(arguments...)
	token := p.awaitText(&p.stdout, `curl -H 'Authorization: Bearer (\S+)'`)
	url := p.awaitText(&p.stdout, `'(http://127\.0\.0\.1:\d+/api/dashboard/getStats\?\S+)'`)
	status, body := get(t, url, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) })
	figures := decode[stats.Figures](t, body)
	if status != http.StatusOK || figures.MessageCount == 0 || figures.UniqueUsers == 0 {
		t.Errorf("status %d: %s", status, body)
	}
	page := p.awaitText(&p.stdout, `(http://127\.0\.0\.1:\d+/)#token=`+regexp.QuoteMeta(token)+"\n")
	if status, body := get(t, page, func(*http.Request) {}); status != http.StatusOK || !strings.Contains(body, "<title>Orgstats") {
		t.Errorf("%s: status %d: %s", page, status, body)
	}
	user := regexp.MustCompile(`curl --user (\w+):(\w+) '(http://127\.0\.0\.1:\d+/\?database=orgstats)' --data-binary '(.+)'`).
		FindStringSubmatch(p.stdout.String())
	if user == nil {
		t.Fatalf("no word of how to query ClickHouse: %s", p.stdout.String())
	}
	status, body = get(t, user[3]+"&query="+strings.ReplaceAll(user[4], " ", "+"), func(r *http.Request) { r.SetBasicAuth(user[1], user[2]) })
	if status != http.StatusOK || strings.TrimSpace(body) == "0" {
		t.Errorf("ClickHouse answers with status %d: %s", status, body)
	}
	p.kill()

	again := i.start(arguments...)
	again.awaitText(&again.stdout, "curl -H")
	table, _, _ := strings.Cut(again.stdout.String(), "The largest sample organization")
	if loaded := summaryOf(t, table).total().loaded; loaded != 0 {
		t.Errorf("the demo, started again, loaded %d records, want none", loaded)
	}
}

// get requests a URL as curl does.
func get(t *testing.T, url string, prepare func(*http.Request)) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	prepare(request)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	return response.StatusCode, readAll(t, response.Body)
}
