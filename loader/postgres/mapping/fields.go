package mapping

import "github.com/orgstats/orgstats/loader/record"

// Shape is what a field holds, which decides what columns fit.
type Shape int

// Shapes of fields.
const (
	Identifier Shape = iota // a text, a number or a uuid
	Text                    // a text
	Time                    // a date-time
	Count                   // a whole number
	Document                // JSON
	Feedback                // a text or JSON
)

// String is how messages call what fits a shape.
func (s Shape) String() string {
	return [...]string{
		"text, an integer, numeric or uuid", "text or an enum", "timestamptz, timestamp or date", "an integer or numeric",
		"jsonb or json", "text, an enum, jsonb or json",
	}[s]
}

// field is what a kind of record knows of one of its fields.
type field struct {
	name     string
	shape    Shape
	required bool
}

// fieldsOf are the fields of each kind of record.
var fieldsOf = [record.NumKinds][]field{
	record.KindConversation: {
		{"id", Identifier, true}, {"organizationId", Identifier, true}, {"userId", Identifier, true}, {"agentId", Identifier, false},
		{"createdAt", Time, true}, {"updatedAt", Time, false}, {"deletedAt", Time, false},
	},
	record.KindMessage: {
		{"id", Identifier, true}, {"conversationId", Identifier, true}, {"role", Text, true},
		{"parts", Document, false}, {"toolInvocations", Document, false}, {"feedback", Feedback, false},
		{"usage", Document, false}, {"inputTokens", Count, false}, {"outputTokens", Count, false}, {"totalTokens", Count, false},
		{"createdAt", Time, true}, {"updatedAt", Time, false}, {"deletedAt", Time, false},
	},
	record.KindKBFile: {
		{"id", Identifier, true}, {"organizationId", Identifier, true}, {"knowledgeBaseId", Identifier, true},
		{"processingStatus", Text, false}, {"processedAt", Time, false},
		{"extractInputTokens", Count, false}, {"extractOutputTokens", Count, false}, {"extractTotalTokens", Count, false},
		{"createdAt", Time, true}, {"updatedAt", Time, false}, {"deletedAt", Time, false},
	},
	record.KindMember: {
		{"organizationId", Identifier, true}, {"userId", Identifier, true}, {"publicMetadata", Document, true},
		{"createdAt", Time, false}, {"updatedAt", Time, false}, {"deletedAt", Time, false},
	},
}

// Shape is what a field of the table's record holds.
func (t *Table) Shape(name string) Shape {
	for _, f := range fieldsOf[t.Record] {
		if f.name == name {
			return f.shape
		}
	}
	panic("mapping: " + t.Record.String() + " has no field " + name)
}

// UsageFields are the fields that may stand in place of a message's usage.
var UsageFields = []string{"inputTokens", "outputTokens", "totalTokens"}
