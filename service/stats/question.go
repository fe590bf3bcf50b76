// Package stats answers the one question of the service: the 16 figures of an organization over a window of time.
package stats

import (
	"errors"
	"math/bits"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// Question is what a caller asks, already checked and authorized: a window of one organization, filters and a grouping.
// It names everything that its answer depends on, so that it serves as the key of caches.
type Question struct {
	OrgID string

	// From and Until bound the window, in milliseconds since 1970 UTC: From <= t < Until.
	From, Until int64

	Filter
	Grouping Grouping
}

// Filter limits the messages that count. A field that is "" is not applied. Every field is one of Filters.
type Filter struct {
	AgentID string
	UserID  string

	// MetadataKey and MetadataValue, either or both, match the metadata of the conversation's user in the organization.
	MetadataKey, MetadataValue string
}

// window returns the part of the question's window in which records may be.
func (q Question) window() Interval { return Interval{q.From, q.Until}.possible() }

// FilterParam is a filter that callers may set.
type FilterParam struct {
	Name  string // of the parameter in a request
	Field func(*Filter) *string

	// condition returns the condition on messages, or "" where another parameter's covers it.
	condition func(b *builder) string
}

// Filters are all filters. Whatever handles filters one by one goes by this list: the parameters of requests, the
// conditions on messages, the size of what is kept. The buckets of a filter are read from user activity
// (plan.bucketsStatement), unless it is none or an agent, so that a new one needs a condition there, too.
var Filters = []FilterParam{
	{"agentId", func(f *Filter) *string { return &f.AgentID }, (*builder).agent},
	{"userId", func(f *Filter) *string { return &f.UserID }, (*builder).user},
	{"metadataKey", func(f *Filter) *string { return &f.MetadataKey }, (*builder).userMetadata},
	{"metadataValue", func(f *Filter) *string { return &f.MetadataValue }, func(*builder) string { return "" }},
}

// textSize returns how many bytes of text the filters hold.
func (f Filter) textSize() (n int) {
	for _, p := range Filters {
		n += len(*p.Field(&f))
	}
	return n
}

// byMetadata reports whether the question is about the users whose metadata match.
func (f Filter) byMetadata() bool { return f.MetadataKey != "" || f.MetadataValue != "" }

// hasCells reports whether there are cells of the messages that the filter lets through: of all, or of one agent.
func (f Filter) hasCells() bool { return f == Filter{AgentID: f.AgentID} }

// kind returns by what the filter limits, a word from a fixed set.
func (f Filter) kind() string {
	switch f {
	case Filter{}:
		return FilterNone
	case Filter{AgentID: f.AgentID}:
		return FilterAgent
	case Filter{UserID: f.UserID}:
		return FilterUser
	case Filter{MetadataKey: f.MetadataKey, MetadataValue: f.MetadataValue}:
		return FilterMetadata
	}
	return FilterSeveral
}

// The kinds of filters.
const (
	FilterNone     = "none"
	FilterAgent    = "agent"
	FilterUser     = "user"
	FilterMetadata = "metadata"
	FilterSeveral  = "several"
)

// FilterKinds are all kinds of filters.
var FilterKinds = []string{FilterNone, FilterAgent, FilterUser, FilterMetadata, FilterSeveral}

// Grouping says by what figures are told apart. The zero value does not: all of the window is one row.
type Grouping struct {
	Interval cells.Grain // "": the window is one interval
	By       Dimension
}

// Dimension is a property of messages that figures are grouped by; "" is none.
type Dimension string

// ByAgent groups by the id of the conversation's agent.
const ByAgent Dimension = "agent"

// Answer holds a row for each group that has any records, in the groups' order. Without a grouping it is one row.
type Answer struct{ Rows []Row }

// Row is the figures of one group.
type Row struct {
	Group
	Figures
}

// Group names a group. What the question does not group by is zero.
type Group struct {
	Start int64  `ch:"group_start"` // of the interval, which the window may cut; milliseconds since 1970 UTC
	Value string `ch:"group_value"` // of the dimension; "" for records that have none, and for files, which have none
}

// Total returns the figures of an answer without a grouping.
func (a Answer) Total() Figures {
	if len(a.Rows) == 0 {
		return Figures{}
	}
	return a.Rows[0].Figures
}

// Figures are shown in this order. Statements name their columns like the tags ch.
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

// addFeedback sets the sum of the two kinds of feedback. It fails when that is too great.
func (f *Figures) addFeedback() error {
	sum, carry := bits.Add64(f.TotalHelpful, f.TotalNotHelpful, 0)
	if carry != 0 {
		return buckets.ErrOverflow
	}
	f.TotalFeedback = sum
	return nil
}

var (
	// ErrUnavailable is matched by errors of questions that ClickHouse can't be asked or can't handle now: asking again
	// later may help.
	ErrUnavailable = errors.New("ClickHouse is unavailable")

	// ErrTimeout is matched by errors of questions whose time was over.
	ErrTimeout = errors.New("the query timed out")
)
