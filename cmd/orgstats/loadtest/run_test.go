package loadtest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Whatever a deployment does with its answers, every request is accounted for, and none remains stored.
func TestRequestsThatGetNoAnswer(t *testing.T) {
	var n atomic.Int64
	deployment := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 4 {
		case 0: // too late
			<-r.Context().Done()
		case 1: // cut before the answer
			panic(http.ErrAbortHandler)
		case 2: // cut within the answer
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "1000")
			_, _ = w.Write([]byte(goodFigures[:100]))
			panic(http.ErrAbortHandler)
		case 3: // elsewhere
			http.Redirect(w, r, "/login", http.StatusFound)
		}
	}))
	defer deployment.Close()
	test, err := New(Options{URL: deployment.URL, Population: town(), Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	c := newCollector(40, time.Second)
	test.attack(t.Context(), c)
	r := c.close()
	if r.Sent < 10 || r.Failed() != r.Sent || r.Statuses["302"] == 0 || r.Statuses["none"] == 0 {
		t.Errorf("%+v", r)
	}
	if uint64(c.sent) != r.Sent || len(c.waiting) != 0 {
		t.Errorf("%d of %d requests are still expected", len(c.waiting), c.sent)
	}
	var seen strings.Builder
	for _, f := range append(r.Failures, r.Malformed...) {
		seen.WriteString(f.What + "\n")
	}
	if strings.Contains(seen.String(), "getStats") || len(r.Failures) > 4 {
		t.Errorf("causes are told apart by their requests: %s", seen.String())
	}
	for _, what := range []string{"EOF", "deadline exceeded", "302"} {
		if !strings.Contains(seen.String(), what) {
			t.Errorf("no word of %q in %s", what, seen.String())
		}
	}
}

func TestADeploymentThatIsNotReady(t *testing.T) {
	unready := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }))
	defer unready.Close()
	for _, c := range []struct{ reason, url, says string }{
		{"it says so", unready.URL, "503"},
		{"it is not there", "http://127.0.0.1:1", "nothing answers"},
		{"it has no URL", "http://%zz", "no deployment's URL"},
	} {
		if err := Ready(t.Context(), c.url); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a word of %q", c.reason, err, c.says)
		}
	}
}
