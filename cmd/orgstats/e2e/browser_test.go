package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// browser returns the path of Chromium. ORGSTATS_TEST_BROWSER names another browser of its kind.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("ORGSTATS_TEST_BROWSER"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Fatal("there is no Chromium: make browser installs it, or ORGSTATS_TEST_BROWSER names one")
	return ""
}

// visit is the result of opening a page in a browser.
type visit struct {
	dom, console string
	requests     map[string]bool // URLs that the page requested, or tried to
	colors       map[string]bool // of the window
}

// visitPage opens a page in a headless browser with a profile of its own.
func (i *installation) visitPage(page string) visit {
	i.Helper()
	run := func(flags ...string) (stdout, stderr string) {
		var out, err bytes.Buffer
		command := exec.CommandContext(i.Context(), browser(i.T), append([]string{
			"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
			"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions",
			"--user-data-dir=" + i.T.TempDir(), "--window-size=1280,1600", "--enable-logging=stderr",
			"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1", // the browser would contact hosts of its own
		}, append(flags, page)...)...)
		command.Stdout, command.Stderr = &out, &err
		if failure := command.Run(); failure != nil {
			i.Fatalf("%v: %s", failure, err.String())
		}
		return out.String(), err.String()
	}
	v := visit{requests: map[string]bool{}, colors: map[string]bool{}}
	v.dom, v.console = run("--dump-dom", "--log-net-log="+i.path("net.json"))
	_, console := run("--screenshot=" + i.path("page.png"))
	v.console += console
	v.readRequests(i)
	v.readColors(i)
	return v
}

// readRequests reads the page's own requests from the browser's log of its network.
func (v *visit) readRequests(i *installation) {
	i.Helper()
	var log struct {
		Events []struct {
			Params struct {
				URL  string
				Site string `json:"network_isolation_key"` // of the page on whose behalf the request is made
			}
		}
	}
	if err := json.Unmarshal([]byte(i.read("net.json")), &log); err != nil {
		i.Fatal(err)
	}
	for _, event := range log.Events {
		if strings.HasPrefix(event.Params.Site, "http://127.0.0.1 ") {
			v.requests[event.Params.URL] = true
		}
	}
}

func (v *visit) readColors(i *installation) {
	i.Helper()
	picture, err := png.Decode(strings.NewReader(i.read("page.png")))
	if err != nil {
		i.Fatal(err)
	}
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y += 2 {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x += 2 {
			r, g, b, _ := picture.At(x, y).RGBA()
			v.colors[fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)] = true
		}
	}
}

func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	i := install(t)
	s := i.serve()
	page := "http://" + s.address + "/docs"
	v := i.visitPage(page)
	for _, text := range []string{"<h1>Orgstats", "/api/dashboard/getStats", "metadataValue", "kbExtractOutputTokens", "Retry-After"} {
		if !strings.Contains(v.dom, text) {
			t.Errorf("the page does not show %q", text)
		}
	}
	if !v.requests[page] {
		t.Errorf("the browser's log does not have the page itself: %v", v.requests)
	}
	delete(v.requests, page)
	if len(v.requests) > 0 {
		t.Errorf("the page wants more than itself: %v", v.requests)
	}
	for _, line := range strings.Split(v.console, "\n") {
		if strings.Contains(line, ":CONSOLE") {
			t.Errorf("the browser complains: %s", line)
		}
	}
	for _, color := range []string{"#2458c9", "#1d7a46"} { // of GET, and of 200
		if !v.colors[color] {
			t.Errorf("nothing on the page has the color %s: its style is not applied", color)
		}
	}
}

// TestBrowserTellsOfRequests checks that a page which requested more, or was refused something, would be detected.
func TestBrowserTellsOfRequests(t *testing.T) {
	t.Parallel()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; img-src http:")
		_, _ = io.WriteString(w, `<img src="http://elsewhere.invalid/picture"><script>1</script>`)
	}))
	defer page.Close()
	v := install(t).visitPage(page.URL + "/page")
	for _, want := range []string{page.URL + "/page", "http://elsewhere.invalid/picture"} {
		if !v.requests[want] {
			t.Errorf("the request for %s is not told of: %v", want, v.requests)
		}
	}
	if !strings.Contains(v.console, ":CONSOLE") {
		t.Errorf("the script that was refused is not told of")
	}
}
