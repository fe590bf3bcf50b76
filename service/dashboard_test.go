package service

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/service/dashboard"
)

// fetched is the answer to a request that was sent as a browser sends it, without Go's own decompression.
type fetched struct {
	status int
	header http.Header
	body   string
}

func fetch(t *testing.T, url string, header http.Header) fetched {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = header
	response, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fetched{response.StatusCode, response.Header, string(body)}
}

func (f fetched) expect(t *testing.T, why string, headers map[string]string) {
	t.Helper()
	if f.status != http.StatusOK {
		t.Errorf("%s: status %d: %.200s", why, f.status, f.body)
	}
	for name, want := range headers {
		if got := strings.Join(f.header.Values(name), "|"); got != want {
			t.Errorf("%s: %s is %q, want %q", why, name, got, want)
		}
	}
}

// The page needs no token, is asked for anew each time, and may be framed by nobody but those that were named.
func TestDashboardIsServed(t *testing.T) {
	embedders := []string{"https://app.example.com"}
	service := start(t, Config{EmbedOrigins: embedders})
	url := "http://" + service.address + "/"
	got := fetch(t, url+"?window=7d", http.Header{})
	got.expect(t, "the page", map[string]string{
		"Content-Type": htmlType, "Cache-Control": "no-cache", "Content-Security-Policy": dashboard.Policy(embedders),
		"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	})
	if got.body != string(dashboard.Page(embedders)) {
		t.Errorf("the page is another one: %s", got.body)
	}
	again := fetch(t, url, http.Header{"If-None-Match": {got.header.Get("ETag")}})
	if again.status != http.StatusNotModified || again.body != "" {
		t.Errorf("the page has not changed, and the status is %d", again.status)
	}
}

// Assets are sent compressed to those who read that, and kept for good where their name tells their content.
func TestAssetsAreServed(t *testing.T) {
	service := start(t, Config{})
	for name, asset := range dashboard.Assets() {
		url := "http://" + service.address + dashboard.AssetsPath + name
		cached := "no-cache"
		if asset.Lasting {
			cached = "public, max-age=31536000, immutable"
		}
		headers := map[string]string{
			"Content-Type": asset.Type, "Cache-Control": cached, "Vary": "Accept-Encoding", "Content-Encoding": "",
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
		}
		plain := fetch(t, url, http.Header{})
		plain.expect(t, name, headers)
		if plain.body != string(asset.Body) {
			t.Errorf("%s has another content", name)
		}
		if asset.Compressed == nil {
			continue
		}
		headers["Content-Encoding"] = "gzip"
		packed := fetch(t, url, http.Header{"Accept-Encoding": {"br, gzip"}})
		packed.expect(t, name+" compressed", headers)
		reader, err := gzip.NewReader(strings.NewReader(packed.body))
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(reader)
		if err != nil || string(body) != string(asset.Body) || packed.header.Get("ETag") == plain.header.Get("ETag") {
			t.Errorf("%s compressed is another file, or has the same tag (%v)", name, err)
		}
	}
}
