// Package record holds the four records that the loader replicates and reads them, one line of newline-delimited
// JSON each.
//
// Times are milliseconds since 1970 in UTC. UpdatedAt is a record's version: the greatest one wins, whatever the
// order in which versions come.
package record

// Record is a *Conversation, *Message, *KBFile or *Member.
type Record interface{ isRecord() }

// Conversation belongs to a user of an organisation, who holds it with an agent or with none.
type Conversation struct {
	ID, OrgID, UserID    string
	AgentID              string // "" is no agent
	CreatedAt, UpdatedAt int64
	DeletedAt            int64 // 0 unless Deleted
	Deleted              bool
}

// Message stands in a conversation, which says whose it is. TotalTokens is what the platform gave, which need not
// be the sum of the other two.
type Message struct {
	ID, ConversationID, Role                          string
	CreatedAt, UpdatedAt                              int64
	DeletedAt                                         int64 // 0 unless Deleted
	Deleted                                           bool
	ToolCalls, InputTokens, OutputTokens, TotalTokens uint32
	Helpful, NotHelpful                               uint32 // pieces of feedback of each kind
}

// KBFile is a file of a knowledge base, with the tokens that its extraction took.
type KBFile struct {
	ID, OrgID, KnowledgeBaseID             string
	Status                                 string // processingStatus, "" where none is given
	CreatedAt, ProcessedAt, UpdatedAt      int64  // ProcessedAt is CreatedAt where none is given
	DeletedAt                              int64  // 0 unless Deleted
	Deleted                                bool
	InputTokens, OutputTokens, TotalTokens uint32
}

// Member is a user's membership of one organisation, with the metadata kept there, as a whole and flattened:
// nested objects join their keys with dots, and what an array holds stands under the array's own path.
type Member struct {
	OrgID, UserID string
	// Metadata is compact JSON text of the publicMetadata object, keys sorted, each key once.
	Metadata string
	// Paths are the distinct paths of values that are not null, those of objects and arrays too, sorted.
	Paths []string
	// PairPaths and PairValues are, position by position, the distinct pairs of a path and a scalar's text there,
	// sorted.
	PairPaths, PairValues []string
	UpdatedAt             int64
	DeletedAt             int64 // 0 unless Deleted
	Deleted               bool
}

func (*Conversation) isRecord() {}
func (*Message) isRecord()      {}
func (*KBFile) isRecord()       {}
func (*Member) isRecord()       {}
