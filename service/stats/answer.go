package stats

import (
	"cmp"
	"math/bits"
	"reflect"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

// Answer holds the figures of a question.
type Answer struct {
	Total  Row // of all that the filters let through
	Groups int // of the dimension that have records in the window; 0 without a dimension

	// Rows are those groups in the question's order, up to its limit. A user whose metadata have several values at a
	// path is in several groups.
	Rows []Row
	// Other is what belongs to the groups beyond the limit, and to those that have records in the previous window only.
	// Nil: there are none.
	Other *Row
}

// Row is the figures of one group, or of several.
type Row struct {
	Group
	Window   Period
	Previous Period // of the window that is compared
}

// Group names a group of a dimension.
type Group struct {
	Value string `ch:"value"`
	None  bool   `ch:"none"` // it holds the records that have no value
}

// Period is the figures of a window. A series alone, which is grouped by nothing but an interval, has none of the
// window as a whole.
type Period struct {
	Figures
	Series []Figures // of each interval
}

// Figures returns the figures of the window as a whole.
func (a Answer) Figures() Figures { return a.Total.Window.Figures }

// compare sorts rows by the question's figure, and those with the same by their value, the one without any last.
func (g Grouping) compare(x, y Row) int {
	order := cmp.Compare(x.Window.of(g.OrderBy), y.Window.of(g.OrderBy))
	if !g.Ascending {
		order = -order
	}
	return cmp.Or(order, compareGroups(x.Group, y.Group))
}

// compareGroups sorts by value, and the group without any last.
func compareGroups(a, b Group) int {
	switch {
	case a.None == b.None:
		return cmp.Compare(a.Value, b.Value)
	case a.None:
		return 1
	}
	return -1
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

// figureFields are the fields of Figures by two names: that in JSON, and the column that statements name like it.
var figureFields = func() map[string]int {
	fields := map[string]int{}
	for i, figures := 0, reflect.TypeFor[Figures](); i < figures.NumField(); i++ {
		fields[figures.Field(i).Tag.Get("ch")] = i
		fields[figures.Field(i).Tag.Get("json")] = i
	}
	return fields
}()

// fieldsOf returns which fields of Figures columns are.
func fieldsOf(columns []string) (fields []int) {
	for _, column := range columns {
		fields = append(fields, figureFields[column])
	}
	return fields
}

// fields returns all figures, in order. A test holds the list against the type.
func (f *Figures) fields() [figureCount]*uint64 {
	return [figureCount]*uint64{
		&f.ConversationCount, &f.MessageCount, &f.ToolCalls, &f.TotalTokens, &f.InputTokens, &f.OutputTokens,
		&f.UniqueUsers, &f.UniqueAgents, &f.TotalFeedback, &f.TotalHelpful, &f.TotalNotHelpful,
		&f.KBFileCount, &f.KBCount, &f.KBExtractTotalTokens, &f.KBExtractInputTokens, &f.KBExtractOutputTokens,
	}
}

const figureCount = 16

// FigureNames are the names of the figures in JSON, in order.
var FigureNames = func() (names []string) {
	for i, figures := 0, reflect.TypeFor[Figures](); i < figures.NumField(); i++ {
		names = append(names, figures.Field(i).Tag.Get("json"))
	}
	return names
}()

// columnOf returns the column of a figure, by its name in JSON.
func columnOf(figure string) string {
	return reflect.TypeFor[Figures]().Field(figureFields[figure]).Tag.Get("ch")
}

// of returns a figure by its name.
func (f *Figures) of(name string) uint64 {
	return reflect.ValueOf(f).Elem().Field(figureFields[name]).Uint()
}

// Values returns the figures, in order.
func (f *Figures) Values() (values []uint64) {
	for _, field := range f.fields() {
		values = append(values, *field)
	}
	return values
}
