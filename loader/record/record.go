// Package record holds the four records that the loader replicates and reads them, one line of newline-delimited
// JSON each.
//
// Times are milliseconds since 1970 in UTC.
package record

// Record is a *Conversation, *Message, *KBFile or *Member.
type Record interface {
	Kind() Kind
	// Key returns what a row of the source is looked up by: the id or, of a member, the key of its row.
	Key() string
	// Identity returns what tells the record from all others of its kind. That of a member's tombstone is not known.
	Identity() Identity
	// Owner returns the organization or, of a message, the conversation that the record belongs to.
	Owner() string
	version() *Version
}

// Identity is an id, or an organization and a user.
type Identity [2]string

// VersionOf returns the version of a record, to be read or changed.
func VersionOf(r Record) *Version { return r.version() }

// Conversation belongs to a user of an organization, who holds it with an agent or with none.
type Conversation struct {
	Version
	ID, OrgID, UserID string
	AgentID           string // "" is no agent
	CreatedAt         int64
}

// Message stands in a conversation, which says whose it is. TotalTokens is what the platform gave, which need not
// be the sum of the other two.
type Message struct {
	Version
	ID, ConversationID, Role                          string
	CreatedAt                                         int64
	ToolCalls, InputTokens, OutputTokens, TotalTokens uint32
	Helpful, NotHelpful                               uint32 // pieces of feedback of each kind
	Tools                                             Tools
}

// Tools is what ToolCalls follows from, for messages from a log: a later version may bring only one of both.
type Tools struct {
	Invocations int32 // entries of toolInvocations; -1: it is no array
	Parts       int32 // parts that are tool calls; -1: parts is neither absent nor an array
}

// KBFile is a file of a knowledge base, with the tokens that its extraction took.
type KBFile struct {
	Version
	ID, OrgID, KnowledgeBaseID             string
	Status                                 string // processingStatus, "" where none is given
	CreatedAt, ProcessedAt                 int64  // ProcessedAt is CreatedAt where none is given
	InputTokens, OutputTokens, TotalTokens uint32
}

// Member is a user's membership of one organization, with the metadata kept there, as a whole and flattened:
// nested objects join their keys with dots, and what an array holds stands under the array's own path.
type Member struct {
	Version
	OrgID, UserID string
	// Metadata is compact JSON text of the publicMetadata object, keys sorted, each key once.
	Metadata string
	// Paths are the distinct paths of values that are not null, those of objects and arrays too, sorted.
	Paths []string
	// PairPaths and PairValues are, position by position, the distinct pairs of a path and a scalar's text there,
	// sorted.
	PairPaths, PairValues []string
	// SourceKey is the key of the membership in the table that it came from, "" for one from a file.
	SourceKey string
}

func (*Conversation) Kind() Kind { return KindConversation }
func (*Message) Kind() Kind      { return KindMessage }
func (*KBFile) Kind() Kind       { return KindKBFile }
func (*Member) Kind() Kind       { return KindMember }

func (c *Conversation) Key() string { return c.ID }
func (m *Message) Key() string      { return m.ID }
func (f *KBFile) Key() string       { return f.ID }
func (m *Member) Key() string       { return m.SourceKey }

func (c *Conversation) Identity() Identity { return Identity{c.ID} }
func (m *Message) Identity() Identity      { return Identity{m.ID} }
func (f *KBFile) Identity() Identity       { return Identity{f.ID} }
func (m *Member) Identity() Identity       { return Identity{m.OrgID, m.UserID} }

func (c *Conversation) Owner() string { return c.OrgID }
func (m *Message) Owner() string      { return m.ConversationID }
func (f *KBFile) Owner() string       { return f.OrgID }
func (m *Member) Owner() string       { return m.OrgID }
