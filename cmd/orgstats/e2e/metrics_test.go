package e2e

import (
	"bufio"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/orgstats/orgstats/cmd/orgstats/cli"
	"github.com/orgstats/orgstats/loader/postgres"
	"github.com/orgstats/orgstats/service/auth"
)

// metricsAddress returns the address on which the server serves metrics; it must have been started with
// --metrics-listen.
func (s *server) metricsAddress() string {
	s.Helper()
	return s.awaitText(&s.stderr, `msg="serving metrics" address=(\S+)`)
}

// scrape returns all series, by name and labels as they are written.
func (s *server) scrape() map[string]float64 {
	s.Helper()
	response, err := s.client.Get("http://" + s.metricsAddress() + "/metrics")
	if err != nil {
		s.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		s.Fatalf("the scrape got status %d", response.StatusCode)
	}
	series := map[string]float64{}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		line := lines.Text()
		end := strings.LastIndexByte(line, ' ') // values of labels may contain spaces
		if strings.HasPrefix(line, "#") || end < 0 {
			continue
		}
		name, text := line[:end], line[end+1:]
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			s.Fatalf("%s: %v", lines.Text(), err)
		}
		series[name] = value
	}
	return series
}

// loadedServer starts a server that has the contract's records and serves metrics.
func loadedServer(t *testing.T, flags ...string) *server {
	t.Helper()
	i := install(t)
	c := readContract(t)
	c.checkLoad(t, i.runWith(joined(c.lines(t)), "load", "-"), true)
	return i.serveWith(append([]string{"--metrics-listen", "127.0.0.1:0"}, flags...)...)
}

var adminOfAcme = auth.Caller{OrgID: "org_acme", UserID: "user_001", Role: "org:admin"}

func TestMetricsTellWhatHappened(t *testing.T) {
	t.Parallel()
	s := loadedServer(t, "--user-rate=0.001", "--organization-rate=0", "--cache-age=1h") // so that each user has one request
	other := adminOfAcme
	s.figures(adminOfAcme, always())
	other.UserID = "user_005"
	s.figures(other, always())
	if got := s.ask(s.token(adminOfAcme), always()); got.status != 429 {
		t.Errorf("status %d: the user's rate should be exceeded", got.status)
	}
	ofUser := always()
	ofUser.Set("userId", "user_003")
	other.UserID = "user_002"
	s.figures(other, ofUser)
	s.ask("", always())
	s.ask("forged", always())
	if _, err := s.client.Get("http://" + s.address + "/nowhere"); err != nil {
		t.Fatal(err)
	}
	for user, endpoint := range map[string]string{"user_004": "getTimeSeries", "user_006": "getBreakdown"} { // both want to know how to group
		other.UserID = user
		if _, err := s.get("/api/dashboard/"+endpoint, s.token(other), always(), nil); err != nil {
			t.Fatal(err)
		}
	}
	const route = `route="/api/dashboard/getStats"`
	got := s.scrape()
	for series, want := range map[string]float64{
		`orgstats_http_request_duration_seconds_count{` + route + `,status="200"}`: 3,
		`orgstats_http_request_duration_seconds_count{` + route + `,status="429"}`: 1,
		`orgstats_http_request_duration_seconds_count{` + route + `,status="401"}`: 2,
		`orgstats_http_request_duration_seconds_count{route="other",status="404"}`: 1,

		`orgstats_http_request_duration_seconds_count{route="/api/dashboard/getTimeSeries",status="400"}`: 1,
		`orgstats_http_request_duration_seconds_count{route="/api/dashboard/getBreakdown",status="400"}`:  1,

		`orgstats_rate_limited_total{scope="user"}`:         1,
		`orgstats_tokens_refused_total{reason="header"}`:    1,
		`orgstats_tokens_refused_total{reason="malformed"}`: 1,

		`orgstats_cache_requests_total{filter="none",result="miss"}`: 1,
		`orgstats_cache_requests_total{filter="none",result="hit"}`:  1,
		`orgstats_cache_requests_total{filter="user",result="miss"}`: 1,
		`orgstats_fetches_total`:                                     2,
		`orgstats_memory_organizations`:                              1,
		`orgstats_memory_evictions_total`:                            0,
		`orgstats_memory_bytes_max`:                                  448 << 20, // seven eighths of --memory

		`orgstats_clickhouse_connections_max`:               24,
		`orgstats_database_up`:                              1,
		`orgstats_engine_up`:                                1,
		`orgstats_stale_hours`:                              0,
		`orgstats_loader_batch_unfinished`:                  0,
		`orgstats_replication_rejects`:                      0,
		`orgstats_replication_last_taken_timestamp_seconds`: 0,
		`orgstats_waiting_messages`:                         float64(readContract(t).Waiting),
	} {
		if got[series] != want {
			t.Errorf("%s is %v, want %v", series, got[series], want)
		}
	}
	for _, series := range []string{
		`orgstats_clickhouse_rows_read_total{plan="cells"}`, `orgstats_clickhouse_rows_read_total{plan="activity"}`,
		`orgstats_clickhouse_statement_duration_seconds_count{outcome="ok",plan="state"}`, `orgstats_loader_batch`,
		`orgstats_loader_last_write_timestamp_seconds`, `orgstats_http_connections`, `orgstats_memory_bytes`, `orgstats_memory_buckets`,
		`orgstats_changes_age_seconds`,
	} {
		if got[series] <= 0 {
			t.Errorf("%s is %v, want more than 0", series, got[series])
		}
	}
}

// Every metric that the dashboard, the alert rules and the documentation name is one that the program really has, and
// all that it has are documented.
func TestMonitoringNamesRealMetrics(t *testing.T) {
	t.Parallel()
	s := loadedServer(t)
	s.figures(adminOfAcme, always())
	known := map[string]bool{}
	for series := range s.scrape() {
		name, _, _ := strings.Cut(series, "{")
		known[name] = true
	}
	named := regexp.MustCompile(`\b(?:orgstats|go|process)_[a-z_]+[a-z]`)
	folder := repositoryFile("docs", "monitoring")
	for name := range replicationNames(t) {
		known[name] = true
	}
	documented := ""
	for _, file := range []string{"README.md", "dashboard.json", "alerts.yml"} {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			t.Fatal(err)
		}
		if file == "README.md" {
			documented = string(text)
		}
		names := named.FindAllString(string(text), -1)
		if len(names) < 10 {
			t.Errorf("%s names %d metrics only", file, len(names))
		}
		for _, name := range names {
			if !known[name] && !known[name+"_count"] {
				t.Errorf("%s names %s, which no service has", file, name)
			}
		}
	}
	for name := range known {
		name = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "orgstats_") && !strings.Contains(documented, "`"+name+"`") {
			t.Errorf("%s is not documented", name)
		}
	}
}

// replicationNames returns the names of the metrics of `orgstats replicate`, as it registers them.
func replicationNames(t *testing.T) map[string]bool {
	t.Helper()
	families, err := cli.ReplicationRegistry(&postgres.Monitor{}).Gather()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, family := range families {
		for _, part := range []string{"", "_bucket", "_sum", "_count"} { // the parts of a histogram
			names[family.GetName()+part] = true
		}
	}
	for _, ofTables := range []*prometheus.Desc{cli.RowsMetric, cli.CopyingMetric} { // there are none yet
		_, name, _ := strings.Cut(ofTables.String(), `fqName: "`)
		name, _, _ = strings.Cut(name, `"`)
		names[name] = true
	}
	return names
}

// Metrics are served only if that is configured, and their listener serves nothing else.
func TestMetricsAreOnTheirOwnListener(t *testing.T) {
	t.Parallel()
	s := loadedServer(t)
	for _, url := range []string{"http://" + s.address + "/metrics", "http://" + s.metricsAddress() + "/api/dashboard/getStats"} {
		response, err := s.client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusNotFound {
			t.Errorf("%s: status %d, want 404", url, response.StatusCode)
		}
	}
	taken := s.metricsAddress()
	i := install(t)
	if o := i.run("serve", "--dev-auth", "--listen", "127.0.0.1:0", "--metrics-listen", taken); o.status != cli.ExitFailed || !strings.Contains(o.stderr, "--metrics-listen") {
		t.Errorf("status %d: %s", o.status, o.stderr)
	}
	if _, err := os.Stat(filepath.Join(i.data(), "engine.pipe")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an engine was left: %v", err)
	}
}
