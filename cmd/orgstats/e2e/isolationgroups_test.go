package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"github.com/orgstats/orgstats/service/auth"
)

// memberOfA is a user of org_a without a role.
var memberOfA = auth.Caller{OrgID: "org_a", UserID: "user_1", Role: "org:member"}

// spring returns a window that contains all records of both organizations.
func spring() url.Values {
	return url.Values{"from": {"2024-04-01T00:00:00Z"}, "to": {"2024-05-31T23:59:59Z"}, "allInOrg": {"true"}}
}

// checkGroupParameters sends every text in every parameter of groups.
func checkGroupParameters(t *testing.T, s *server) {
	for n, text := range append(append([]string{}, hostile...), unreadable...) {
		for _, name := range []string{"timeZone", "interval", "groupBy", "orderBy", "order", "limit", "compare", "format", "metadataKey", "agentId"} {
			for _, path := range []string{seriesPath, breakdownPath} {
				a := asked{adminOfA, path, withGrouping(path, spring())}
				if n%2 == 0 {
					a.caller = memberOfA
					a.query.Del("allInOrg")
				}
				if name == "metadataKey" || name == "agentId" {
					if path == seriesPath || n%3 != 0 {
						continue // which cost more than refusals, and are no other than those of getStats
					}
					a.query.Set("groupBy", map[string]string{"metadataKey": "metadata", "agentId": "role"}[name])
				}
				a.query.Set(name, text)
				checkSmall(t, path+" "+name+"="+text, s.askAbout(a))
			}
		}
	}
}

// Whoever may not see the whole organization sees no group but those of their own conversations, and nobody sees one of
// another organization. Files are the whole organization's.
func checkGroups(t *testing.T, s *server) {
	everything, own := url.Values{"allInOrg": {"true"}}, url.Values{}
	another, another2 := url.Values{"userId": {"user_2"}}, url.Values{"userId": {"user_2"}, "allInOrg": {"true"}}
	for _, row := range []struct {
		why    string
		caller auth.Caller
		query  url.Values
		status int
		shown  map[string]string // by dimension
	}{
		{"an admin sees everybody", adminOfA, everything, http.StatusOK, map[string]string{
			"user": "user_0 user_1 user_2", "agent": "agent_0 agent_1 agent_2", "role": "user", "knowledgeBase": "0", "metadata": "org_a",
		}},
		{"an admin asks for another", adminOfA, another2, http.StatusOK, map[string]string{
			"user": "user_2", "agent": "agent_2", "role": "user", "knowledgeBase": "0", "metadata": "org_a",
		}},
		{"an admin's own", adminOfA, own, http.StatusOK, ownGroups},
		{"a member's own", memberOfA, own, http.StatusOK, ownGroups},
		{"a member asks for everybody", memberOfA, everything, http.StatusForbidden, nil},
		{"a member asks for another", memberOfA, another, http.StatusForbidden, nil},
		{"a member asks for another of everybody", memberOfA, another2, http.StatusForbidden, nil},
	} {
		for by, want := range ownGroups {
			if row.shown != nil {
				want = row.shown[by]
			}
			a := asked{row.caller, breakdownPath, spring()}
			a.query.Del("allInOrg")
			for name, values := range row.query {
				a.query[name] = values
			}
			a.query.Set("groupBy", by)
			a.query.Set("interval", "year")
			a.query.Set("compare", "previous")
			if by == "metadata" {
				a.query.Set("metadataKey", "org_b.org")
			}
			got := s.askAbout(a)
			checkSmall(t, row.why, got)
			if got.status != row.status {
				t.Errorf("%s: %v: status %d, want %d: %.300s", row.why, a, got.status, row.status, got.body)
			}
			var shown []string
			for _, value := range gjson.Get(got.body, "rows.#.value").Array() {
				shown = append(shown, value.String())
			}
			slices.Sort(shown)
			if got.status == http.StatusOK && strings.Join(shown, " ") != want {
				t.Errorf("%s: %v shows %q, want %s", row.why, a, shown, want)
			}
			checkSeriesOf(t, s, row.why, a, row.status)
		}
	}
}

var ownGroups = map[string]string{"user": "user_1", "agent": "agent_1", "role": "user", "knowledgeBase": "0", "metadata": "org_a"}

// checkSeriesOf checks that the series of a breakdown's question has no more messages, and is refused like that.
func checkSeriesOf(t *testing.T, s *server, why string, breakdown asked, status int) {
	a := asked{breakdown.caller, seriesPath, url.Values{"interval": {"year"}}}
	for _, name := range []string{"from", "to", "allInOrg", "userId"} {
		a.query[name] = breakdown.query[name]
	}
	got := s.askAbout(a)
	if got.status != status {
		t.Errorf("%s: %v: status %d, want %d: %.300s", why, a, got.status, status, got.body)
	}
	checkSmall(t, why, got)
	if got.status != http.StatusOK {
		return
	}
	messages := int64(0)
	for _, n := range gjson.Get(got.body, "buckets.#.stats.messageCount").Array() {
		messages += n.Int()
	}
	want := map[bool]int64{true: 3, false: 1}[a.caller == adminOfA && a.query.Get("allInOrg") == "true" && a.query.Get("userId") == ""]
	if messages != want {
		t.Errorf("%s: %v has %d messages, want %d", why, a, messages, want)
	}
}
