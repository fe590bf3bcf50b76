package loadtest

import (
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

func TestTokensAreRead(t *testing.T) {
	key, err := auth.OpenDevKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	sign := func(caller auth.Caller, ttl time.Duration) string {
		token, err := key.Sign(caller, ttl)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	admin := auth.Caller{OrgID: "org_a", UserID: "user_1", Role: "org:admin"}
	member := auth.Caller{OrgID: "org_a", UserID: "user_2", Role: "org:member"}
	nowhere := auth.Caller{UserID: "user_3"}
	good := "# callers\n\n" + sign(admin, time.Hour) + "\n  " + sign(member, time.Hour) + "  \r\n"
	callers, err := ReadTokens(strings.NewReader(good), time.Now())
	if err != nil || len(callers) != 2 || callers[0].Caller != admin || callers[1].Caller != member {
		t.Errorf("%+v, %v", callers, err)
	}
	orgs := Organizations(callers)
	if len(orgs) != 1 || len(orgs[0].Callers) != 2 || strings.Join(orgs[0].Users, " ") != "user_1 user_2" {
		t.Errorf("%+v", orgs)
	}
	for _, c := range []struct{ reason, text, says string }{
		{"nothing", "# nobody\n", "no token"},
		{"no token", good + "secret-text\n", "line 5"},
		{"a token without an organization", sign(nowhere, time.Hour), "user_3"},
		{"an expired token", "\n" + sign(admin, time.Minute), "line 2"},
	} {
		_, err := ReadTokens(strings.NewReader(c.text), time.Now().Add(2*time.Minute))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want a word of %q", c.reason, err, c.says)
		}
		if err != nil && strings.Contains(err.Error(), "secret-text") {
			t.Errorf("%s: the line is quoted: %v", c.reason, err)
		}
	}
}
