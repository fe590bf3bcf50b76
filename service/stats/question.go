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

// Figures is the answer, in the order in which it is shown.
type Figures struct {
	ConversationCount uint64 `json:"conversationCount"`
	MessageCount      uint64 `json:"messageCount"`
	ToolCalls         uint64 `json:"toolCalls"`
	TotalTokens       uint64 `json:"totalTokens"`
	InputTokens       uint64 `json:"inputTokens"`
	OutputTokens      uint64 `json:"outputTokens"`
	UniqueUsers       uint64 `json:"uniqueUsers"`
	UniqueAgents      uint64 `json:"uniqueAgents"`
	TotalFeedback     uint64 `json:"totalFeedback"`
	TotalHelpful      uint64 `json:"totalHelpful"`
	TotalNotHelpful   uint64 `json:"totalNotHelpful"`

	KBFileCount           uint64 `json:"kbFileCount"`
	KBCount               uint64 `json:"kbCount"`
	KBExtractTotalTokens  uint64 `json:"kbExtractTotalTokens"`
	KBExtractInputTokens  uint64 `json:"kbExtractInputTokens"`
	KBExtractOutputTokens uint64 `json:"kbExtractOutputTokens"`
}

var (
	// ErrUnavailable says that ClickHouse can't be reached or can't take the question now: asking again later may help.
	ErrUnavailable = errors.New("ClickHouse can't answer now")

	// ErrTimeout says that the question was given up because its time was over.
	ErrTimeout = errors.New("the question took too long")
)
