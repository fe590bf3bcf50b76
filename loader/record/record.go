// Package record holds the four records that the loader replicates and reads them, one line of newline-delimited
// JSON each.
//
// Times are milliseconds since 1970 in UTC. LogPosition and then UpdatedAt are a record's version: the greatest one
// wins, whatever the order in which versions come. Records of files have the position 0, and so go by UpdatedAt alone.
package record

// Record is a *Conversation, *Message, *KBFile or *Member.
type Record interface{ isRecord() }

// Conversation belongs to a user of an organization, who holds it with an agent or with none.
type Conversation struct {
	ID, OrgID, UserID    string
	AgentID              string // "" is no agent
	CreatedAt, UpdatedAt int64
	DeletedAt            int64 // 0 unless Deleted
	Deleted              bool
	LogPosition          uint64
	Kept                 Fields
}

// Message stands in a conversation, which says whose it is. TotalTokens is what the platform gave, which need not
// be the sum of the other two.
type Message struct {
	ID, ConversationID, Role                          string
	CreatedAt, UpdatedAt                              int64
	DeletedAt                                         int64 // 0 unless Deleted
	ToolCalls, InputTokens, OutputTokens, TotalTokens uint32
	Helpful, NotHelpful                               uint32 // pieces of feedback of each kind
	Tools                                             Tools
	LogPosition                                       uint64
	Deleted                                           bool // here it takes no room of its own
	Kept                                              Fields
}

// Tools is what ToolCalls follows from, for messages from a log: a later version may bring only one of both.
type Tools struct {
	Invocations int32 // entries of toolInvocations; -1: it is no array
	Parts       int32 // parts that are tool calls; -1: parts is neither absent nor an array
}

// KBFile is a file of a knowledge base, with the tokens that its extraction took.
type KBFile struct {
	ID, OrgID, KnowledgeBaseID             string
	Status                                 string // processingStatus, "" where none is given
	CreatedAt, ProcessedAt, UpdatedAt      int64  // ProcessedAt is CreatedAt where none is given
	DeletedAt                              int64  // 0 unless Deleted
	Deleted                                bool
	InputTokens, OutputTokens, TotalTokens uint32
	LogPosition                            uint64
	Kept                                   Fields
}

// Member is a user's membership of one organization, with the metadata kept there, as a whole and flattened:
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
	LogPosition           uint64
	// SourceKey is the key of the membership in the table that it came from, "" for one from a file.
	SourceKey string
	Kept      Fields
}

func (*Conversation) isRecord() {}
func (*Message) isRecord()      {}
func (*KBFile) isRecord()       {}
func (*Member) isRecord()       {}
