package mapping

import "github.com/orgstats/orgstats/loader/record"

// Shape is what a field holds, which decides what columns fit.
type Shape int

const (
	Identifier Shape = iota // a text, a number or a uuid
	Text                    // a text
	Time                    // a date-time
	Count                   // a whole number
	Document                // JSON
	Feedback                // a text or JSON
)

// String returns what messages call a value that fits a shape.
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

// kind is what a mapping must know of a kind of record.
type kind struct {
	fields   []field
	anyOf    []string // at least one of these fields must be mapped
	identity []string // fields that identify a record of the kind

	// Records of another kind name these by their id, whatever organization they belong to.
	referencedByID bool
}

// byID is the identity of records that have an id.
var byID = []string{"id"}

// times are the times of records that have an id.
var times = []field{{"createdAt", Time, true}, {"updatedAt", Time, false}, {"deletedAt", Time, false}}

// kinds describe all kinds of records.
var kinds = [record.NumKinds]kind{
	record.KindConversation: {
		identity: byID, referencedByID: true,
		fields: append([]field{
			{"id", Identifier, true},
			{"organizationId", Identifier, true},
			{"userId", Identifier, true},
			{"agentId", Identifier, false},
		}, times...),
	},
	record.KindMessage: {
		identity: byID,
		fields: append([]field{
			{"id", Identifier, true},
			{"conversationId", Identifier, true},
			{"role", Text, true},
			{"parts", Document, false},
			{"toolInvocations", Document, false},
			{"feedback", Feedback, false},
			{"usage", Document, false},
			{"inputTokens", Count, false},
			{"outputTokens", Count, false},
			{"totalTokens", Count, false},
		}, times...),
	},
	record.KindKBFile: {
		identity: byID,
		fields: append([]field{
			{"id", Identifier, true},
			{"organizationId", Identifier, true},
			{"knowledgeBaseId", Identifier, true},
			{"processingStatus", Text, false},
			{"processedAt", Time, false},
			{"extractInputTokens", Count, false},
			{"extractOutputTokens", Count, false},
			{"extractTotalTokens", Count, false},
		}, times...),
	},
	record.KindMember: {
		identity: []string{"organizationId", "userId"}, anyOf: []string{"updatedAt", "createdAt"},
		fields: []field{
			{"organizationId", Identifier, true},
			{"userId", Identifier, true},
			{"publicMetadata", Document, true},
			{"createdAt", Time, false},
			{"updatedAt", Time, false},
			{"deletedAt", Time, false},
		},
	},
}

// IdentityFields returns the fields that identify the table's records, in the order of a record.Identity.
func (t *Table) IdentityFields() []string { return kinds[t.Record].identity }

// IsReferencedByID reports whether records of other tables name those of this one by their id alone.
func (t *Table) IsReferencedByID() bool { return kinds[t.Record].referencedByID }

// Shape returns what a field of the table's record holds.
func (t *Table) Shape(name string) Shape {
	for _, f := range kinds[t.Record].fields {
		if f.name == name {
			return f.shape
		}
	}
	panic("mapping: " + t.Record.String() + " has no field " + name)
}

// UsageFields are the fields that may stand in place of a message's usage.
var UsageFields = []string{"inputTokens", "outputTokens", "totalTokens"}
