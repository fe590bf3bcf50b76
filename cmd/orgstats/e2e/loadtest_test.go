package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/sample"
)

// loadSample loads sample records of a past month.
func (i *installation) loadSample(messages int) {
	i.Helper()
	var records bytes.Buffer
	_, err := sample.Write(i.Context(), &records, sample.Options{
		Seed: 1, Messages: messages, Organizations: 5, Days: 30, Until: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		i.Fatal(err)
	}
	i.write("sample.ndjson", records.Bytes())
	if o := i.run("load", "sample.ndjson"); o.status != cli.ExitOK {
		i.Fatal(o.stderr)
	}
}

// report reads a load test's report.
func (i *installation) report(name string) loadtest.Report {
	i.Helper()
	return decode[loadtest.Report](i.T, i.read(name))
}

func TestLoadTest(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.loadSample(2000)
	s := i.serve()
	o := i.run("loadtest", "--url", "http://"+s.address, "--rate", "10", "--duration", "4s", "--verify", "--cache-age", "0s",
		"--json", "report.json", "--svg", "report.svg")
	if o.status != cli.ExitOK {
		t.Fatalf("status %d: %s%s", o.status, o.stdout, o.stderr)
	}
	r := i.report("report.json")
	if r.Run.Sent > 41 || r.Run.Answered.Count == 0 || r.Run.Answered.Count+r.Run.Shed.Count != r.Run.Sent || r.Organizations < 3 || r.Callers < 10 {
		t.Errorf("%d of %d requests were answered and %d shed, of %d callers in %d organizations",
			r.Run.Answered.Count, r.Run.Sent, r.Run.Shed.Count, r.Callers, r.Organizations)
	}
	if r.Verified.Compared == 0 || r.Verified.Equal != r.Verified.Compared || r.Verified.Changing > 0 {
		t.Errorf("compared: %+v", r.Verified)
	}
	if len(r.Run.Windows) < 4 || len(r.Run.Filters) < 4 {
		t.Errorf("asked for %v by %v", r.Run.Windows, r.Run.Filters)
	}
	if len(r.Run.Views) < 4 {
		t.Errorf("asked for the views %v", r.Run.Views)
	}
	for _, text := range []string{"Latency of the answers", "█", "last 30 days", "p99", "0 different"} {
		if !strings.Contains(o.stdout, text) {
			t.Errorf("no word of %q in %s", text, o.stdout)
		}
	}
	if plot := i.read("report.svg"); !strings.HasPrefix(plot, "<svg") || !strings.Contains(plot, "Latency over time") {
		t.Errorf("the plot is %.200s", plot)
	}
}

func TestLoadTestFindsARate(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.loadSample(500)
	s := i.serve()
	// A bound that no answer keeps ends the search at its lowest rate; one that every answer keeps ends it at the first
	// rate that this machine can't send.
	o := i.run("loadtest", "--url", "http://"+s.address, "--find-rate", "--p99", "1ms", "--rate", "2", "--step", "1s", "--duration", "1s", "--json", "report.json")
	r := i.report("report.json")
	if len(r.Search.Steps) == 0 || (r.Search.Rate > 0) != (o.status == cli.ExitOK) || !strings.Contains(o.stdout, "Rates tried") {
		t.Errorf("status %d, %+v: %s%s", o.status, r.Search, o.stdout, o.stderr)
	}
}

// A deployment whose answers are fast and wrong must not pass: a proxy changes the answers of the real service.
func TestLoadTestFindsWrongAnswers(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.loadSample(500)
	s := i.serve()
	for _, c := range []struct {
		reason string
		spoil  func(body string) string
		says   string
	}{
		{"one message too many", func(body string) string {
			return messageCount.ReplaceAllStringFunc(body, func(field string) string {
				n, _ := strconv.Atoi(messageCount.FindStringSubmatch(field)[1])
				return `"messageCount":` + strconv.Itoa(n+1)
			})
		}, "answers that were compared are wrong"},
		{"a field is missing", func(body string) string { return strings.Replace(body, `"kbCount"`, `"kbcount"`, 1) }, "requests failed"},
		{"cut off", func(body string) string { return strings.TrimSuffix(body, "}") }, "requests failed"},
	} {
		t.Run(c.reason, func(t *testing.T) {
			proxy := spoiling(t, s, c.spoil)
			o := i.run("loadtest", "--url", proxy, "--rate", "10", "--duration", "2s", "--verify", "--cache-age", "0s")
			if o.status != cli.ExitFailed || !strings.Contains(o.stderr, c.says) {
				t.Errorf("status %d, want %d and a word of %q: %s%s", o.status, cli.ExitFailed, c.says, o.stdout, o.stderr)
			}
		})
	}
}

var messageCount = regexp.MustCompile(`"messageCount":(\d+)`)

// spoiling returns the URL of a proxy that changes the service's answers.
func spoiling(t *testing.T, s *server, spoil func(string) string) string {
	target := &url.URL{Scheme: "http", Host: s.address}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		ModifyResponse: func(response *http.Response) error {
			body, err := io.ReadAll(response.Body)
			if err != nil || !json.Valid(body) {
				return err
			}
			spoilt := spoil(string(body))
			response.Body = io.NopCloser(strings.NewReader(spoilt))
			response.ContentLength = int64(len(spoilt))
			response.Header.Set("Content-Length", strconv.Itoa(len(spoilt)))
			return nil
		},
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

func TestAnInterruptedLoadTestReports(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.loadSample(500)
	s := i.serve()
	p := i.start("loadtest", "--url", "http://"+s.address, "--rate", "5", "--duration", "1h", "--json", "report.json")
	p.awaitText(&p.stderr, `(\d+) answered`)
	p.signal(syscall.SIGINT)
	if o := p.wait(); o.status != cli.ExitOK || !strings.Contains(o.stdout, "Latency of the answers") {
		t.Errorf("status %d: %s%s", o.status, o.stdout, o.stderr)
	}
	if r := i.report("report.json"); !r.Interrupted || r.Run.Sent == 0 || r.Run.Answered.Count+r.Run.Shed.Count != r.Run.Sent {
		t.Errorf("interrupted %v, %d of %d answered", r.Interrupted, r.Run.Answered.Count, r.Run.Sent)
	}
}

func TestLoadTestWithTokensAlone(t *testing.T) {
	t.Parallel()
	i := install(t)
	i.loadSample(500)
	s := i.serve()
	i.write("tokens", []byte("# an admin\n"+s.token(adminOfA)+"\n"))
	elsewhere := install(t) // without a data directory
	o := elsewhere.runWith([]byte(i.read("tokens")), "loadtest", "--url", "http://"+s.address, "--tokens", "-", "--agent", "7",
		"--metadata", "team=red", "--rate", "10", "--duration", "1s", "--json", "report.json")
	if o.status != cli.ExitOK {
		t.Fatalf("status %d: %s", o.status, o.stderr)
	}
	if r := elsewhere.report("report.json"); r.Callers != 1 || r.Run.Answered.Count == 0 {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(elsewhere.data()); err == nil {
		t.Error("a data directory was made")
	}
}

func TestLoadTestRefusesToStart(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := i.serve()
	token := s.token(adminOfA)
	i.write("tokens", []byte(token))
	i.write("forged", []byte(token[:len(token)-6]+"AAAAAA"))
	i.write("nonsense", []byte("nonsense"))
	url := "http://" + s.address
	for _, c := range []struct {
		reason    string
		arguments []string
		says      string
	}{
		{"nothing listens", []string{"--url", "http://127.0.0.1:1", "--tokens", "tokens"}, "nothing answers at http://127.0.0.1:1"},
		{"something else listens", []string{"--url", url + "/api", "--tokens", "tokens"}, "404"},
		{"no URL", []string{"--url", "localhost:8080"}, "--url"},
		{"no rate", []string{"--url", url, "--rate", "0"}, "--rate"},
		{"no data directory", []string{"--url", url, "--data-dir", "absent"}, "--data-dir"},
		{"no records", []string{"--url", url}, "no messages yet"},
		{"tokens of nobody", []string{"--url", url, "--tokens", "nonsense"}, "line 1"},
		{"tokens that are not there", []string{"--url", url, "--tokens", "absent"}, "absent"},
		{"tokens of somebody else's key", []string{"--url", url, "--tokens", "forged"}, "does not accept the token of user_1"},
		{"filters without tokens", []string{"--url", url, "--agent", "7"}, "--tokens"},
	} {
		o := i.run(append([]string{"loadtest", "--duration", "1s"}, c.arguments...)...)
		if o.status != cli.ExitFailed || !strings.Contains(o.stderr, c.says) {
			t.Errorf("%s: status %d, want %d and a word of %q: %s", c.reason, o.status, cli.ExitFailed, c.says, o.stderr)
		}
		if strings.Contains(o.stdout+o.stderr, token[len(token)-40:len(token)-6]) {
			t.Errorf("%s: the token is printed", c.reason)
		}
	}
}
