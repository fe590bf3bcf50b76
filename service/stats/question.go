// Package stats answers the one question of the service: the 16 figures of an organization over a window of time.
package stats

import "errors"

// Question is what a caller asks, already checked and authorized: a window of one organization, and filters.
// A filter that is "" is not applied.
type Question struct {
	OrgID string

	// From and Until bound the window, in milliseconds since 1970 UTC: From <= t < Until.
	From, Until int64

	AgentID string
	UserID  string

	// MetadataKey and MetadataValue, either or both, match the metadata of the conversation's user in the organization.
	MetadataKey, MetadataValue string
}

// byMetadata tells whether the question is about the users whose metadata match.
func (q Question) byMetadata() bool { return q.MetadataKey != "" || q.MetadataValue != "" }

// Figures is the answer, in the order in which it is shown. Statements name their columns like the tags ch.
type Figures struct {
	ConversationCount uint64 `json:"conversationCount" ch:"conversation_count"`
	MessageCount      uint64 `json:"messageCount" ch:"message_count"`
	ToolCalls         uint64 `json:"toolCalls" ch:"tool_calls"`
	TotalTokens       uint64 `json:"totalTokens" ch:"total_tokens"`
	InputTokens       uint64 `json:"inputTokens" ch:"input_tokens"`
	OutputTokens      uint64 `json:"outputTokens" ch:"output_tokens"`
	UniqueUsers       uint64 `json:"uniqueUsers" ch:"unique_users"`
	UniqueAgents      uint64 `json:"uniqueAgents" ch:"unique_agents"`
	TotalFeedback     uint64 `json:"totalFeedback" ch:"-"` // the two that follow
	TotalHelpful      uint64 `json:"totalHelpful" ch:"helpful"`
	TotalNotHelpful   uint64 `json:"totalNotHelpful" ch:"not_helpful"`

	KBFileCount           uint64 `json:"kbFileCount" ch:"kb_file_count"`
	KBCount               uint64 `json:"kbCount" ch:"kb_count"`
	KBExtractTotalTokens  uint64 `json:"kbExtractTotalTokens" ch:"kb_total_tokens"`
	KBExtractInputTokens  uint64 `json:"kbExtractInputTokens" ch:"kb_input_tokens"`
	KBExtractOutputTokens uint64 `json:"kbExtractOutputTokens" ch:"kb_output_tokens"`
}

var (
	// ErrUnavailable says that ClickHouse can't be reached or can't take the question now: asking again later may help.
	ErrUnavailable = errors.New("ClickHouse can't answer now")

	// ErrTimeout says that the question was given up because its time was over.
	ErrTimeout = errors.New("the question took too long")
)
