package sample_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"testing"
	"time"
)

// entry holds the fields of all types of records.
type entry struct {
	Type             string          `json:"type"`
	ID               json.RawMessage `json:"id"`
	OrganizationID   string          `json:"organizationId"`
	ConversationID   string          `json:"conversationId"`
	UserID           string          `json:"userId"`
	AgentID          json.RawMessage `json:"agentId"`
	Role             string          `json:"role"`
	CreatedAt        *time.Time      `json:"createdAt"`
	UpdatedAt        *time.Time      `json:"updatedAt"`
	DeletedAt        *time.Time      `json:"deletedAt"`
	ProcessedAt      *time.Time      `json:"processedAt"`
	KnowledgeBaseID  int             `json:"knowledgeBaseId"`
	ProcessingStatus string          `json:"processingStatus"`
	ExtractInput     uint32          `json:"extractInputTokens"`
	ExtractOutput    uint32          `json:"extractOutputTokens"`
	ExtractTotal     uint32          `json:"extractTotalTokens"`
	PublicMetadata   map[string]any  `json:"publicMetadata"`
	Feedback         any             `json:"feedback"`
	Usage            *usage          `json:"usage"`
	Parts            []part          `json:"parts"`
	ToolInvocations  []part          `json:"toolInvocations"`
}

type usage struct {
	Input      uint32 `json:"inputTokens"`
	Output     uint32 `json:"outputTokens"`
	Total      uint32 `json:"totalTokens"`
	Prompt     uint32 `json:"promptTokens"`
	Completion uint32 `json:"completionTokens"`
}

type part struct {
	Type       string `json:"type"`
	State      string `json:"state"`
	ToolName   string `json:"toolName"`
	ToolCallID string `json:"toolCallId"`
	Text       string `json:"text"`
}

// history is what the lines of one output say.
type history struct {
	conversations map[string]entry
	members       map[[2]string]entry
	messages      []entry
	files         []entry
}

var (
	uuidPattern = regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`)
	orgPattern  = regexp.MustCompile(`^org_2[0-9A-Za-z]{26}$`)
	userPattern = regexp.MustCompile(`^user_2[0-9A-Za-z]{26}$`)
	roles       = []string{"user", "assistant", "tool", "system"}
	statuses    = []string{"", "completed", "extract_failed", "parsing", "pending"}
)

// readHistory parses every line strictly and checks that it may stand there.
func readHistory(t *testing.T, out []byte) history {
	t.Helper()
	h := history{conversations: map[string]entry{}, members: map[[2]string]entry{}}
	ids := map[string]bool{}
	for line := range bytes.Lines(out) {
		var e entry
		decoder := json.NewDecoder(bytes.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil || line[len(line)-1] != '\n' || decoder.More() {
			t.Fatalf("not one record on a line (%v): %s", err, line)
		}
		if fault := h.add(e); fault != "" {
			t.Fatalf("%s: %s", fault, line)
		}
		if fault := checkTimes(e); fault != "" {
			t.Fatalf("%s: %s", fault, line)
		}
		if key := e.Type + string(e.ID); e.ID != nil {
			if ids[key] {
				t.Fatalf("an id a second time: %s", line)
			}
			ids[key] = true
		}
	}
	return h
}

func (h *history) add(e entry) (fault string) {
	switch e.Type {
	case "member":
		key := [2]string{e.OrganizationID, e.UserID}
		if _, twice := h.members[key]; twice || !orgPattern.MatchString(e.OrganizationID) || !userPattern.MatchString(e.UserID) {
			return "a member twice, or a malformed id"
		}
		h.members[key] = e
	case "conversation":
		if _, ok := h.members[[2]string{e.OrganizationID, e.UserID}]; !ok || !uuidPattern.Match(e.ID) || e.AgentID == nil {
			return "a conversation before its member, or a malformed id"
		}
		h.conversations[string(e.ID[1:37])] = e
	case "message":
		return h.addMessage(e)
	case "kbFile":
		if e.KnowledgeBaseID <= 0 || !slices.Contains(statuses, e.ProcessingStatus) || !orgPattern.MatchString(e.OrganizationID) {
			return "a malformed file"
		}
		h.files = append(h.files, e)
	default:
		return "an unknown type"
	}
	return ""
}

func (h *history) addMessage(e entry) (fault string) {
	c, ok := h.conversations[e.ConversationID]
	switch {
	case !ok:
		return "a message before its conversation"
	case e.CreatedAt == nil || e.CreatedAt.Before(*c.CreatedAt):
		return "a message older than its conversation"
	case !uuidPattern.Match(e.ID) || !slices.Contains(roles, e.Role):
		return "a malformed id or role"
	case e.Role != "assistant" && (e.Usage != nil || e.Feedback != nil || e.ToolInvocations != nil):
		return "what only assistants have"
	}
	h.messages = append(h.messages, e)
	return ""
}

func checkTimes(e entry) (fault string) {
	for _, at := range []*time.Time{e.CreatedAt, e.UpdatedAt, e.DeletedAt, e.ProcessedAt} {
		switch {
		case at == nil:
		case !at.Before(until):
			return "a time after the end"
		case e.CreatedAt != nil && at.Before(*e.CreatedAt):
			return "a time before createdAt"
		}
	}
	if e.CreatedAt == nil && e.Type != "member" {
		return "no createdAt"
	}
	return ""
}
