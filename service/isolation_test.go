package service

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/service/auth"
	"github.com/orgstats/orgstats/service/stats"
)

// Strings that fiber gives are overwritten by later requests: what is kept must be copies.
func TestQuestionsOutliveTheirRequests(t *testing.T) {
	const clients, requests = 8, 50
	asked := &recorder{}
	service := start(t, Config{Answerer: asked})
	done := make(chan bool)
	for client := range clients {
		go func() {
			defer func() { done <- true }()
			for i := range requests {
				name := fmt.Sprintf("c%dr%d", client, i)
				caller := auth.Caller{UserID: "user-" + name, OrgID: "org-" + name}
				service.ask(t, caller, day+"&agentId=agent-"+name+"&metadataKey=key-"+name+"&metadataValue=value-"+name)
			}
		}()
	}
	for range clients {
		<-done
	}
	seen := map[string]bool{}
	for _, q := range asked.questions {
		name := strings.TrimPrefix(q.OrgID, "org-")
		if q.UserID != "user-"+name || q.AgentID != "agent-"+name || q.MetadataKey != "key-"+name || q.MetadataValue != "value-"+name {
			t.Errorf("a question is mixed up: %+v", q)
		}
		seen[name] = true
	}
	if len(seen) != clients*requests {
		t.Errorf("%d different questions were kept, want %d", len(seen), clients*requests)
	}
}

func FuzzQuery(f *testing.F) {
	asked := make(chan stats.Question, 1)
	service := start(f, Config{Answerer: answererFunc(func(_ context.Context, q stats.Request) (stats.Answer, error) {
		asked <- q.Question
		return stats.Answer{}, nil
	})})
	for _, seed := range []string{
		day, day + "&allInOrg=true&userId=x", day + "&orgId=org_2", day + "&agentId=%00%27&metadataKey={org:String}",
		"from=2024-01-01T00:00:00%2B02:00&to=9999-12-31T23:59:59Z", "&;=%&#", "?&??", "://x/", "x HTTP/1.1",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, query []byte, isAdmin bool) {
		if bytes.ContainsAny(query, "\r\n") {
			t.Skip("the request would end there")
		}
		caller := member
		if isAdmin {
			caller = admin
		}
		connection := service.dial(t)
		defer connection.Close()
		send(t, connection, rawRequest(caller, string(query)))
		got := readAnswer(t, connection)
		switch got.status {
		case 200:
			q := <-asked
			if q.OrgID != caller.OrgID || q.UserID != caller.UserID && !isAdmin || q.From > q.Until {
				t.Errorf("%q asks %+v", query, q)
			}
		case 400, 403, 431:
			if got.Error == "" {
				t.Errorf("%q: no sentence in %s", query, got.body)
			}
		default:
			t.Errorf("%q: got %d %s", query, got.status, got.body)
		}
	})
}
