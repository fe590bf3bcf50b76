package loadtest

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// exampleReport returns the report of so many seconds of a run at 100 requests a second: answers that take 1 to 100 ms,
// and in every ninth second nothing but 503.
func exampleReport(seconds int) *Report {
	r, _ := exampleRun(seconds)
	return r
}

func exampleRun(seconds int) (*Report, *collector) {
	c := newCollector(100, time.Duration(seconds)*time.Second)
	began := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for n := range 100 * seconds {
		r := &vegeta.Result{
			Seq: uint64(n), Timestamp: began.Add(time.Duration(n) * 10 * time.Millisecond), Latency: time.Duration(n%100+1) * time.Millisecond,
			Code: 200, Body: []byte(goodFigures), Headers: http.Header{"Content-Type": {"application/json"}},
		}
		if n/100%9 == 8 {
			r.Code, r.Body = 503, []byte(`{"error":"Try again"}`)
			r.Headers.Set("Retry-After", "5")
		}
		r.URL = "#" + c.expect(request{window: "last 7 days", filter: "organization"})
		c.add(r, nil)
	}
	return &Report{Target: "http://127.0.0.1:1/<&>", Started: began, Run: c.close()}, c
}

func TestARunsFigures(t *testing.T) {
	report, c := exampleRun(18)
	r := report.Run
	if r.Sent != 1800 || r.Answered.Count != 1600 || r.Shed.Count != 200 || r.Failed() != 0 || r.Statuses["200"] != 1600 || r.Statuses["503"] != 200 {
		t.Errorf("%+v", r)
	}
	near := func(got, want float64) bool { return got > 0.98*want && got < 1.02*want }
	if !near(r.SentPerSecond, 100) || !near(r.AnsweredPerSecond, 1600.0/18) || !near(r.Answered.P50, 50.5) || !near(r.Answered.P99, 99.5) ||
		!near(r.Answered.Mean, 50.5) || r.Answered.Max != 100 || r.Late > 1 {
		t.Errorf("%+v", r)
	}
	var inBuckets, inTimeline uint64
	for _, b := range r.Histogram {
		inBuckets += b.Count
	}
	for _, i := range r.Timeline {
		inTimeline += i.Answered.Count + i.Shed + i.Failed
	}
	if inBuckets != 1600 || inTimeline != 1800 || len(r.Timeline) != 18 {
		t.Errorf("%d in the histogram, %d in %d intervals", inBuckets, inTimeline, len(r.Timeline))
	}
	if first := r.Histogram[0]; first.From != 1 || first.To != 1.5 || first.Count != 16 {
		t.Errorf("the first bucket is %+v, want the 16 answers of 1 ms", first)
	}
	if c.sent != 1800 || len(c.waiting) != 0 {
		t.Errorf("%d sent, %d under way", c.sent, len(c.waiting))
	}
	if len(r.Windows) != 1 || r.Windows[0].Name != "last 7 days" || r.Windows[0].Count != 1600 {
		t.Errorf("by window: %+v", r.Windows)
	}
}

// Requests that this machine could not send in time must not count as good latencies of the service.
func TestLateRequestsAreTold(t *testing.T) {
	c := newCollector(100, time.Second)
	began := time.Now()
	for n := range 100 {
		c.add(&vegeta.Result{Seq: uint64(n), Timestamp: began.Add(time.Duration(n) * 20 * time.Millisecond), Error: "connection refused"}, nil)
	}
	r := c.close()
	if r.Late < 900 || r.SentPerSecond > 51 {
		t.Errorf("p99 %.0f ms late at %.1f a second, want about 1 s at 50", r.Late, r.SentPerSecond)
	}
	if r.Failed() != 100 || len(r.Failures) != 1 || r.Failures[0] != (Failure{"connection refused", 100}) {
		t.Errorf("%d failed: %+v", r.Failed(), r.Failures)
	}
	if err := (&Report{Run: r}).Verdict(); err == nil {
		t.Error("requests without answers are no failure")
	}
}

func TestTheReportIsWritten(t *testing.T) {
	search := &Search{Bound: 100, Rate: 100, Steps: []Step{{Rate: 100, P99: 90, Held: true}, {Rate: 200, P99: 5000, Why: "p99 above the bound"}}}
	for name, r := range map[string]*Report{
		"a run":                    exampleReport(18),
		"one second":               exampleReport(1),
		"ten minutes":              exampleReport(600),
		"a search":                 {Search: search, Run: exampleReport(3).Run, Verified: &Verified{Compared: 3, Equal: 2, Different: 1, Changing: 4, Differences: []Failure{{"x", 1}}}},
		"a search without success": {Search: &Search{Bound: 100, Steps: []Step{{Rate: 1, Why: "nothing was answered"}}}},
		"nothing answered":         {Run: newCollector(1, time.Second).close()},
		"stopped at once":          {Search: &Search{Bound: 100}, Interrupted: true},
	} {
		var text, object, plot strings.Builder
		if err := errors.Join(r.Print(&text), r.JSON(&object), r.SVG(&plot)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := json.Unmarshal([]byte(object.String()), &Report{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for decoder := xml.NewDecoder(strings.NewReader(plot.String())); ; {
			if _, err := decoder.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Errorf("%s: the plot is no XML: %v", name, err)
				break
			}
		}
		for _, wrong := range []string{"NaN", "Inf", "%!"} {
			if strings.Contains(plot.String()+text.String(), wrong) {
				t.Errorf("%s: %s stands in it:\n%s\n%s", name, wrong, text.String(), plot.String())
			}
		}
	}
}

func TestTimesAreWrittenShort(t *testing.T) {
	for n, want := range map[float64]string{0: "0 ms", 0.512: "0.51 ms", 0.5: "0.5 ms", 1: "1 ms", 1.5: "1.5 ms", 12.34: "12.3 ms", 100: "100 ms", 479.6: "480 ms", 1000: "1 s", 2130: "2.13 s"} {
		if got := ms(n); got != want {
			t.Errorf("%g: %q, want %q", n, got, want)
		}
	}
}
