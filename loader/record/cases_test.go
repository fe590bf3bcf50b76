package record

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// contractCase is a request of the contract with its answer.
type contractCase struct {
	Name   string
	Caller struct{ OrganizationID, UserID string }
	Query  map[string]string
	Status int
	Body   map[string]any
}

// TestContractFigures answers the contract's requests from the records alone, in the plainest way there is. It fails
// when a field is misread, as every one of them tells in some figure.
func TestContractFigures(t *testing.T) {
	text, err := os.ReadFile("../../testdata/contract/cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct{ Cases []contractCase }
	if err := json.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	records := latest(contractLines(t))
	answered := 0
	for _, test := range contract.Cases {
		if test.Status != 200 {
			continue
		}
		answered++
		figures := records.figures(t, test)
		for name, want := range test.Body {
			if got := figures[name]; float64(got) != want {
				t.Errorf("%s: %s is %d, want %v", test.Name, name, got, want)
			}
		}
	}
	if answered < 300 {
		t.Errorf("only %d requests in the contract", answered)
	}
}

// replica holds the newest version of each record.
type replica struct {
	conversations map[string]*Conversation
	messages      map[string]*Message
	files         map[string]*KBFile
	members       map[[2]string]*Member
}

func latest(lines [][]byte) replica {
	all := replica{map[string]*Conversation{}, map[string]*Message{}, map[string]*KBFile{}, map[[2]string]*Member{}}
	for _, line := range lines {
		rec, err := Parse(line)
		if err != nil {
			continue
		}
		switch rec := rec.(type) {
		case *Conversation:
			if had := all.conversations[rec.ID]; had == nil || had.UpdatedAt <= rec.UpdatedAt {
				all.conversations[rec.ID] = rec
			}
		case *Message:
			if had := all.messages[rec.ID]; had == nil || had.UpdatedAt <= rec.UpdatedAt {
				all.messages[rec.ID] = rec
			}
		case *KBFile:
			if had := all.files[rec.ID]; had == nil || had.UpdatedAt <= rec.UpdatedAt {
				all.files[rec.ID] = rec
			}
		case *Member:
			key := [2]string{rec.OrgID, rec.UserID}
			if had := all.members[key]; had == nil || had.UpdatedAt <= rec.UpdatedAt {
				all.members[key] = rec
			}
		}
	}
	return all
}

func (all replica) figures(t *testing.T, test contractCase) map[string]int {
	t.Helper()
	from, exact, err := ParseTime(test.Query["from"])
	if err != nil {
		t.Fatal(err)
	}
	if !exact {
		from++ // both ends are inclusive, so that one inside a millisecond leaves it out
	}
	to, _, err := ParseTime(test.Query["to"])
	if err != nil {
		t.Fatal(err)
	}
	figures := map[string]int{}
	conversations, users, agents, bases := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range all.messages {
		c := all.conversations[m.ConversationID]
		if m.Deleted || c == nil || c.Deleted || m.CreatedAt < from || m.CreatedAt > to || !all.matches(c, test) {
			continue
		}
		conversations[c.ID], users[c.UserID] = true, true
		if c.AgentID != "" {
			agents[c.AgentID] = true
		}
		figures["messageCount"]++
		figures["toolCalls"] += int(m.ToolCalls)
		figures["inputTokens"] += int(m.InputTokens)
		figures["outputTokens"] += int(m.OutputTokens)
		figures["totalTokens"] += int(m.TotalTokens)
		figures["totalHelpful"] += int(m.Helpful)
		figures["totalNotHelpful"] += int(m.NotHelpful)
		figures["totalFeedback"] += int(m.Helpful + m.NotHelpful)
	}
	for _, f := range all.files {
		processed := f.Status == "" || f.Status == "completed"
		if f.Deleted || !processed || f.OrgID != test.Caller.OrganizationID || f.ProcessedAt < from || f.ProcessedAt > to {
			continue
		}
		bases[f.KnowledgeBaseID] = true
		figures["kbFileCount"]++
		figures["kbExtractInputTokens"] += int(f.InputTokens)
		figures["kbExtractOutputTokens"] += int(f.OutputTokens)
		figures["kbExtractTotalTokens"] += int(f.TotalTokens)
	}
	figures["conversationCount"], figures["uniqueUsers"] = len(conversations), len(users)
	figures["uniqueAgents"], figures["kbCount"] = len(agents), len(bases)
	return figures
}

// matches reports whether a conversation passes the filters of a request.
func (all replica) matches(c *Conversation, test contractCase) bool {
	user, agent := test.Query["userId"], test.Query["agentId"]
	if test.Query["allInOrg"] != "true" && c.UserID != test.Caller.UserID ||
		c.OrgID != test.Caller.OrganizationID || user != "" && c.UserID != user || agent != "" && c.AgentID != agent {
		return false
	}
	key, value := test.Query["metadataKey"], test.Query["metadataValue"]
	if key == "" && value == "" {
		return true
	}
	member := all.members[[2]string{c.OrgID, c.UserID}]
	if member == nil || member.Deleted {
		return false
	}
	if value == "" {
		return slices.Contains(member.Paths, key)
	}
	for i, path := range member.PairPaths {
		if (key == "" || key == path) && member.PairValues[i] == value {
			return true
		}
	}
	return false
}
