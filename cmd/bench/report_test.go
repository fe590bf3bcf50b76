package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
)

func TestQueryTableIsAligned(t *testing.T) {
	r := &report{Messages: 3_000_000, Queries: []queryResult{
		{Window: "year", Filter: "none", Messages: 2_400_000, Cold: loadtest.Latency{Count: 20, P50: 1.5, P99: 2.25}, Plain: loadtest.Latency{Count: 3, P50: 600, P99: 700}, Ratio: 400, Goal: 400},
		{Window: "hour, ragged", Filter: "caller", Messages: 7, Cold: loadtest.Latency{Count: 20, P50: 2, P99: 3}, Plain: loadtest.Latency{Count: 20, P50: 2.5, P99: 3}, Ratio: 1.25},
		{Window: "day", Filter: "none", Messages: 9, Cold: loadtest.Latency{Count: 20, P50: 4, P99: 5}, Plain: loadtest.Latency{Count: 20, P50: 3, P99: 4}, Ratio: 0.75},
	}}
	var out strings.Builder
	r.printQueries(&out)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 6 {
		t.Fatalf("the table has %d lines, want a title, a head, three rows and a count:\n%s", len(lines), out.String())
	}
	for _, line := range lines[2:5] {
		if len(line) != len(lines[1]) {
			t.Errorf("a row is not as long as the head:\n%s", out.String())
		}
	}
	if got := strings.Fields(lines[2]); got[2] != "2400000" || got[len(got)-2] != "400" || got[len(got)-1] != "400" {
		t.Errorf("the first row reads %q", got)
	}
	if got := strings.Fields(lines[3]); got[len(got)-2] != "1.25" || got[len(got)-1] != "-" {
		t.Errorf("the second row, which has no goal, reads %q", got)
	}
	if !strings.Contains(lines[5], ": 1 of 3 ") {
		t.Errorf("one of three answers is slower than the plain query's, and the count reads %q", lines[5])
	}
}

func TestRatioHasTheDigitsThatMatter(t *testing.T) {
	for _, c := range []struct {
		reason string
		ratio  float64
		want   string
	}{
		{"around 1 the second digit tells who is faster", 0.987, "0.99"},
		{"large ones are never exact", 412.6, "413"},
	} {
		if got := ratio(c.ratio); got != c.want {
			t.Errorf("%s: %v is shown as %s, want %s", c.reason, c.ratio, got, c.want)
		}
	}
}

func TestReportHoldsOnlyWhatWasMeasured(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	r := newReport(options{Messages: 5})
	r.Loader = &loaderResult{Messages: 5}
	if err := writeJSON(path, r); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var read map[string]json.RawMessage
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]bool{"machine": true, "loader": true, "queries": false, "http": false, "trickle": false} {
		if _, got := read[part]; got != want {
			t.Errorf("part %s is there: %v, want %v", part, got, want)
		}
	}
}
