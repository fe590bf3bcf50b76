package sample_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
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

// history is what the lines of one output say. It reads them as they are written, and checks that each may stand where
// it does. Messages are not kept: most of the tests' time would go into memory.
type history struct {
	only          string // type of the records that are read; "": all
	each          func(*entry)
	conversations map[string]*entry
	members       map[[2]string]*entry
	messages      int
	messagesOf    map[string]int // by organization
	files         []*entry

	ids map[string]struct{}
}

func newHistory() *history {
	return &history{
		each: func(*entry) {}, conversations: map[string]*entry{}, members: map[[2]string]*entry{}, messagesOf: map[string]int{},
		ids: map[string]struct{}{},
	}
}

var (
	uuidPattern = regexp.MustCompile(`^"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"$`)
	orgPattern  = regexp.MustCompile(`^org_2[0-9A-Za-z]{26}$`)
	userPattern = regexp.MustCompile(`^user_2[0-9A-Za-z]{26}$`)
	roles       = []string{"user", "assistant", "tool", "system"}
	statuses    = []string{"", "completed", "extract_failed", "parsing", "pending"}
)

// Write reads whole lines, strictly.
func (h *history) Write(lines []byte) (int, error) {
	for line := range bytes.Lines(lines) {
		if h.only != "" && !bytes.HasPrefix(line, []byte(`{"type":"`+h.only+`"`)) {
			continue
		}
		if err := h.read(line); err != nil {
			return 0, fmt.Errorf("%w: %s", err, line)
		}
	}
	return len(lines), nil
}

func (h *history) read(line []byte) error {
	e := &entry{}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(e); err != nil || line[len(line)-1] != '\n' || decoder.More() {
		return fmt.Errorf("not one record on a line (%v)", err)
	}
	for _, fault := range []string{h.add(e), checkTimes(e)} {
		if fault != "" {
			return errors.New(fault)
		}
	}
	if e.ID != nil {
		key := e.Type + string(e.ID)
		if _, twice := h.ids[key]; twice {
			return errors.New("an id a second time")
		}
		h.ids[key] = struct{}{}
	}
	h.each(e)
	return nil
}

func (h *history) add(e *entry) (fault string) {
	switch e.Type {
	case "member":
		key := [2]string{e.OrganizationID, e.UserID}
		if _, twice := h.members[key]; twice || !orgPattern.MatchString(e.OrganizationID) || !userPattern.MatchString(e.UserID) {
			return "a member twice, or a malformed id"
		}
		h.members[key] = e
	case "conversation":
		if _, ok := h.members[[2]string{e.OrganizationID, e.UserID}]; h.only == "" && !ok || !uuidPattern.Match(e.ID) || e.AgentID == nil {
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

func (h *history) addMessage(e *entry) (fault string) {
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
	h.messages++
	h.messagesOf[c.OrganizationID]++
	return ""
}

func checkTimes(e *entry) (fault string) {
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
