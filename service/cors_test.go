package service

import (
	"net/http"
	"slices"
	"testing"
)

func TestCrossOriginRequests(t *testing.T) {
	const app, stranger = "https://app.example.com", "https://app.example.com.evil.example"
	service := start(t, Config{Origins: []string{app, "http://localhost:3000"}})
	for _, row := range []struct {
		why, method, origin, token string
		status                     int
		allowed                    string
	}{
		{"an allowed origin reads the answer", "GET", app, tokenOf(admin), 200, app},
		{"another allowed one", "GET", "http://localhost:3000", tokenOf(admin), 200, "http://localhost:3000"},
		{"and why there is none", "GET", app, "", 401, app},
		{"what only begins like it is another", "GET", stranger, tokenOf(admin), 200, ""},
		{"another port is another origin", "GET", app + ":8443", tokenOf(admin), 200, ""},
		{"null is no origin", "GET", "null", tokenOf(admin), 200, ""},
		{"no page asks", "GET", "", tokenOf(admin), 200, ""},
		{"a plain OPTIONS is no preflight", "OPTIONS", app, "", 405, app},
	} {
		header := http.Header{"Origin": {row.origin}}
		if row.token != "" {
			header.Set("Authorization", "Bearer "+row.token)
		}
		got := service.do(t, row.method, statsPath+"?"+day, header)
		if got.status != row.status || got.header.Get("Access-Control-Allow-Origin") != row.allowed || !slices.Contains(got.header.Values("Vary"), "Origin") {
			t.Errorf("%s: got %d %v, want %d for %q", row.why, got.status, got.header, row.status, row.allowed)
		}
		if got.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: credentials are allowed", row.why)
		}
	}
}

func TestPreflight(t *testing.T) {
	const app = "https://app.example.com"
	for _, row := range []struct {
		why, origin string
		origins     []string
		status      int
	}{
		{"an allowed origin", app, []string{app}, 204},
		{"another", "https://evil.example", []string{app}, 405},
		{"nobody is allowed who is not configured", app, nil, 405},
	} {
		service := start(t, Config{Origins: row.origins})
		request, err := http.NewRequest(http.MethodOptions, "http://"+service.address+statsPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{
			"Origin": {row.origin}, "Access-Control-Request-Method": {"GET"}, "Access-Control-Request-Headers": {"authorization"},
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		allowed := response.Header.Get("Access-Control-Allow-Origin") == row.origin &&
			response.Header.Get("Access-Control-Allow-Methods") == corsMethods &&
			response.Header.Get("Access-Control-Allow-Headers") == corsHeaders
		if response.StatusCode != row.status || allowed != (row.status == 204) {
			t.Errorf("%s: got %d %v, want %d", row.why, response.StatusCode, response.Header, row.status)
		}
	}
}

func TestSecurityHeaders(t *testing.T) {
	service := start(t, Config{})
	for _, row := range []struct {
		why, method, target string
		header              http.Header
	}{
		{"an answer", "GET", statsPath + "?" + day, bearer(tokenOf(admin))},
		{"a refusal", "GET", statsPath, nil},
		{"a path that is nobody's", "GET", "/nothing", nil},
		{"a method that is nobody's", "BREW", "/", nil},
		{"a probe", "GET", "/livez", nil},
	} {
		got := service.do(t, row.method, row.target, row.header)
		for name, want := range map[string]string{
			"X-Content-Type-Options":    "nosniff",
			"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
			"Referrer-Policy":           "no-referrer",
			"Cache-Control":             "private, no-cache",
			"Strict-Transport-Security": "", // not over plain HTTP
			"Server":                    "",
		} {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", row.why, name, got.header.Get(name), want)
			}
		}
	}
}
