package service

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/orgstats/orgstats/clickhouse/engine/enginetest"
	"github.com/orgstats/orgstats/service/openapi"
)

func TestEveryRouteIsDescribed(t *testing.T) {
	var document struct{ Paths map[string]any }
	if err := json.Unmarshal(openapi.Document, &document); err != nil {
		t.Fatal(err)
	}
	described := slices.Sorted(maps.Keys(document.Paths))
	if routes := slices.Sorted(maps.Keys(New(Config{}).paths)); !slices.Equal(routes, described) {
		t.Errorf("the service has the routes %q and describes %q", routes, described)
	}
}

func TestEveryParameterIsDescribed(t *testing.T) {
	document := gjson.ParseBytes(openapi.Document)
	for _, e := range endpoints {
		var described []string
		for _, p := range document.Get("paths./api/dashboard/" + e.name + ".get.parameters").Array() {
			p = document.Get(strings.ReplaceAll(strings.TrimPrefix(p.Get("$ref").String(), "#/"), "/", "."))
			if p.Get("in").String() == "query" {
				described = append(described, p.Get("name").String())
			}
		}
		if names := e.parameterNames(); !slices.Equal(described, names) {
			t.Errorf("%s has the parameters %q and describes %q", e.name, names, described)
		}
	}
}

// A probe's line in the log says which build answered, and so does the description.
func TestBuildIsShown(t *testing.T) {
	service := start(t, Config{Build: Build{Version: "v1.2.3", Commit: "abc"}})
	service.do(t, http.MethodGet, "/readyz", nil)
	enginetest.Await(t, "the version is logged", func() bool {
		return strings.Contains(service.log.String(), `"version":"v1.2.3","commit":"abc"`)
	})
	if got := service.do(t, http.MethodGet, "/openapi.json", nil); !strings.Contains(got.body, `"version": "v1.2.3"`) {
		t.Errorf("the description has another version: %.200s", got.body)
	}
}

// The page has a policy of its own, which must not get lost among the headers of every answer.
func TestPageKeepsItsPolicy(t *testing.T) {
	service := start(t, Config{})
	for path, want := range map[string]string{"/docs": openapi.PagePolicy, "/openapi.json": "default-src 'none'; frame-ancestors 'none'"} {
		response, err := http.Get("http://" + service.address + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		policies := response.Header.Values("Content-Security-Policy")
		if strings.Join(policies, "|") != want || response.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the policies %q, want %q; %v", path, policies, want, response.Header)
		}
	}
}
