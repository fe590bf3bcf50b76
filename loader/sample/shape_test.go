package sample_test

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/loader/sample"
)

// TestShape checks that the largest organization's year looks like one.
func TestShape(t *testing.T) {
	o := sample.Options{Seed: 11, Messages: 120_000, Organizations: 20, LargestShare: 0.6, Until: until}
	org := write(t, io.Discard, o).Organizations[0]
	h := newHistory()
	messages, weekend, night := 0, 0, 0
	h.each = func(e *entry) {
		if e.Type != "message" || h.conversations[e.ConversationID].OrganizationID != org.ID {
			return
		}
		messages++
		local := e.CreatedAt.Add(org.UTCOffset)
		if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
			weekend++
		}
		if local.Hour() < 5 {
			night++
		}
	}
	write(t, h, o)
	maps.DeleteFunc(h.conversations, func(_ string, c *entry) bool { return c.OrganizationID != org.ID })

	within(t, "messages a conversation", float64(messages)/float64(len(h.conversations)), 9.3, 10.7)
	within(t, "messages at weekends", share(weekend, messages), 0.05, 0.12)
	within(t, "messages from 0 to 5 h local time", share(night, messages), 0.01, 0.03)

	byUser, byAgent := map[string]int{}, map[string]int{}
	deleted := 0
	for _, c := range h.conversations {
		byUser[c.UserID]++
		byAgent[strings.Trim(string(c.AgentID), `"`)]++
		if c.DeletedAt != nil {
			deleted++
		}
	}
	within(t, "conversations of a tenth of the users", head(byUser, org.Users/10), 0.40, 0.75)
	within(t, "conversations of a fifth of the agents", head(byAgent, org.Agents/5), 0.40, 0.75)
	within(t, "conversations without an agent", share(byAgent["null"], len(h.conversations)), 0.02, 0.04)
	within(t, "conversations of the top agent", share(byAgent[org.TopAgentID], len(h.conversations)), 0.10, 0.40)
	within(t, "deleted conversations", share(deleted, len(h.conversations)), 0.002, 0.01)
	if top := slices.Max(slices.Collect(maps.Values(byUser))); byUser[org.MemberUserID] < top*3/4 {
		t.Errorf("the member has %d conversations, the most active user %d", byUser[org.MemberUserID], top)
	}
}

func TestMessageContents(t *testing.T) {
	h := newHistory()
	count := map[string]int{}
	resumed := map[string]bool{}
	h.each = func(m *entry) {
		if m.Type != "message" {
			return
		}
		count[m.Role]++
		for _, c := range []struct {
			what string
			ok   bool
		}{
			{"feedback", m.Feedback != nil},
			{"usage", m.Usage != nil},
			{"promptTokens", m.Usage != nil && m.Usage.Prompt > 0 && m.Usage.Completion > 0},
			{"no total", m.Usage != nil && m.Usage.Total == 0},
			{"micros", m.CreatedAt.Nanosecond()%1e6 != 0},
			{"invocations", len(m.ToolInvocations) > 0},
			{"calls as parts", m.Role == "assistant" && len(m.Parts) > 0},
			{"deleted", m.DeletedAt != nil},
		} {
			if c.ok {
				count[c.what]++
			}
		}
		if m.CreatedAt.Sub(*h.conversations[m.ConversationID].CreatedAt) > 20*time.Hour {
			resumed[m.ConversationID] = true
		}
	}
	write(t, h, sample.Options{Seed: 12, Messages: 100_000, Organizations: 3, Days: 100, Until: until})
	all, answers := h.messages, count["assistant"]
	within(t, "assistant", share(answers, all), 0.4, 0.55)
	within(t, "system", share(count["system"], all), 0.005, 0.02)
	within(t, "tool", share(count["tool"], all), 0.01, 0.06)
	within(t, "feedback", share(count["feedback"], answers), 0.035, 0.045)
	within(t, "usage", share(count["usage"], answers), 0.97, 0.99)
	within(t, "promptTokens", share(count["promptTokens"], answers), 0.06, 0.10)
	within(t, "no total", share(count["no total"], answers), 0.10, 0.20)
	within(t, "microseconds", share(count["micros"], all), 0.015, 0.025)
	within(t, "toolInvocations", share(count["invocations"], answers), 0.08, 0.10)
	within(t, "calls as parts", share(count["calls as parts"], answers), 0.08, 0.10)
	within(t, "deleted", share(count["deleted"], all), 0.001, 0.005)
	within(t, "resumed", share(len(resumed), len(h.conversations)), 0.05, 0.09)
}

// TestMetadataShares holds in small organizations too, to the nearest user or
// two, because users are spread evenly instead of drawn.
func TestMetadataShares(t *testing.T) {
	h := newHistory()
	h.only = "member"
	summary := write(t, h, sample.Options{Seed: 13, Messages: 100_000, Organizations: 12, LargestShare: 0.7, Until: until})
	for _, org := range summary.Organizations {
		for _, filter := range sample.MetadataFilters {
			matching := 0
			for _, m := range h.members {
				if m.OrganizationID == org.ID && fmt.Sprint(m.PublicMetadata[filter.Key]) == filter.Value {
					matching++
				}
			}
			want := filter.Share * float64(org.Users)
			within(t, fmt.Sprintf("%d users with %s=%s", org.Users, filter.Key, filter.Value), float64(matching), want*0.9-2, want*1.1+2)
		}
	}
}

func TestFiles(t *testing.T) {
	h := newHistory()
	h.only = "kbFile"
	write(t, h, sample.Options{Seed: 14, Messages: 200_000, Organizations: 5, Until: until})
	status := map[string]int{}
	for _, f := range h.files {
		status[f.ProcessingStatus]++
		if f.ExtractTotal != 0 && f.ExtractTotal != f.ExtractInput+f.ExtractOutput {
			t.Errorf("file %s: total %d is not the sum of %d and %d", f.ID, f.ExtractTotal, f.ExtractInput, f.ExtractOutput)
		}
	}
	within(t, "completed", share(status["completed"], len(h.files)), 0.75, 0.90)
	for _, s := range []string{"", "extract_failed", "parsing"} {
		within(t, "files with status "+s, float64(status[s]), 1, float64(len(h.files)))
	}
}

// TestOrder checks that time passes from line to line: conversations begin in
// hours that follow each other.
func TestOrder(t *testing.T) {
	h := newHistory()
	h.only = "conversation"
	var latest time.Time
	h.each = func(e *entry) {
		if latest.Sub(*e.CreatedAt) >= time.Hour {
			t.Errorf("a conversation of %s after one of %s", e.CreatedAt, latest)
		}
		if e.CreatedAt.After(latest) {
			latest = *e.CreatedAt
		}
	}
	write(t, h, sample.Options{Seed: 15, Messages: 20_000, Organizations: 5, Days: 20, Until: until})
	if len(h.conversations) == 0 {
		t.Error("there are no conversations")
	}
}

func TestOrganizationsShareUsers(t *testing.T) {
	h := newHistory()
	h.only = "conversation"
	write(t, h, sample.Options{Seed: 16, Messages: 50_000, Organizations: 4, Days: 60, Until: until})
	active := map[[2]string]bool{}
	for _, c := range h.conversations {
		active[[2]string{c.OrganizationID, c.UserID}] = true
	}
	organizations := map[string]int{}
	for key := range active {
		organizations[key[1]]++
	}
	shared := 0
	for _, n := range organizations {
		if n > 1 {
			shared++
		}
	}
	within(t, "users active in several organizations", share(shared, len(organizations)), 0.005, 0.04)
}

// head returns the share of the n greatest counts in their sum.
func head(counts map[string]int, n int) float64 {
	sorted := slices.SortedFunc(maps.Values(counts), func(a, b int) int { return cmp.Compare(b, a) })
	top, sum := 0, 0
	for i, c := range sorted {
		if i < n {
			top += c
		}
		sum += c
	}
	return share(top, sum)
}

func share(part, whole int) float64 { return float64(part) / float64(whole) }

func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	if !(got >= low && got <= high) { // not a number is wrong, too
		t.Errorf("%s: %.4g, want %.4g to %.4g", what, got, low, high)
	}
}
