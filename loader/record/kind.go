package record

import "strings"

// Kind is a kind of record.
type Kind uint8

// Kinds of records.
const (
	KindConversation Kind = iota
	KindMessage
	KindKBFile
	KindMember
)

// kinds says of each kind what its lines and mappings call it, and how a record is made that has nothing but its key.
var kinds = [...]struct {
	name  string
	keyed func(key string) Record
}{
	KindConversation: {"conversation", func(key string) Record { return &Conversation{ID: key} }},
	KindMessage:      {"message", func(key string) Record { return &Message{ID: key} }},
	KindKBFile:       {"kbFile", func(key string) Record { return &KBFile{ID: key} }},
	KindMember:       {"member", func(key string) Record { return &Member{SourceKey: key} }},
}

// NumKinds is the number of kinds.
const NumKinds = len(kinds)

// String returns the name of the kind in lines and mappings.
func (k Kind) String() string { return kinds[k].name }

// ParseKind returns the kind of a name, and whether there is one.
func ParseKind(name string) (Kind, bool) {
	for i := range kinds {
		if kinds[i].name == name {
			return Kind(i), true
		}
	}
	return 0, false
}

// KindNames lists the names of all kinds for a sentence, each between quotation marks.
func KindNames(quote string) string {
	var names []string
	for _, k := range kinds {
		names = append(names, quote+k.name+quote)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// HasID reports whether records of the kind have an id. Members are told apart by their organization and user.
func (k Kind) HasID() bool { return k != KindMember }

// conversation reads a conversation.
func (r *reader) conversation() *Conversation {
	c := &Conversation{
		ID:        r.identifier("id", r.id),
		OrgID:     r.identifier("organizationId", r.organizationID),
		UserID:    r.identifier("userId", r.userID),
		CreatedAt: r.time("createdAt", r.createdAt),
	}
	if !absent(r.agentID) {
		c.AgentID = r.identifier("agentId", r.agentID)
	}
	c.UpdatedAt = r.timeOr("updatedAt", r.updatedAt, c.CreatedAt)
	c.DeletedAt, c.Deleted = r.deletion()
	detach(&c.ID, &c.OrgID, &c.UserID, &c.AgentID)
	return c
}

// kbFile reads a file of a knowledge base.
func (r *reader) kbFile() *KBFile {
	f := &KBFile{
		ID:              r.identifier("id", r.id),
		OrgID:           r.identifier("organizationId", r.organizationID),
		KnowledgeBaseID: r.identifier("knowledgeBaseId", r.knowledgeBaseID),
		Status:          r.status(),
		CreatedAt:       r.time("createdAt", r.createdAt),
		InputTokens:     r.count("extractInputTokens", r.extractInputTokens),
		OutputTokens:    r.count("extractOutputTokens", r.extractOutputTokens),
	}
	f.TotalTokens = r.total("extractTotalTokens", r.extractTotalTokens, f.InputTokens, f.OutputTokens)
	f.ProcessedAt = r.timeOr("processedAt", r.processedAt, f.CreatedAt)
	f.UpdatedAt = r.timeOr("updatedAt", r.updatedAt, f.CreatedAt)
	f.DeletedAt, f.Deleted = r.deletion()
	detach(&f.ID, &f.OrgID, &f.KnowledgeBaseID, &f.Status)
	return f
}

// status reads processingStatus. An empty one is refused: it is not completed, yet it would pass for none given,
// which counts as completed.
func (r *reader) status() string {
	const want = "a processing status or null"
	if absent(r.processingStatus) {
		return ""
	}
	status := r.text("processingStatus", r.processingStatus, want)
	if status == "" {
		r.wrong("processingStatus", r.processingStatus, want)
	}
	return status
}

// member reads a member.
func (r *reader) member() *Member {
	m := &Member{
		OrgID:  r.identifier("organizationId", r.organizationID),
		UserID: r.identifier("userId", r.userID),
	}
	if absent(r.updatedAt) && !absent(r.createdAt) {
		m.UpdatedAt = r.time("createdAt", r.createdAt)
	} else {
		m.UpdatedAt = r.time("updatedAt", r.updatedAt)
	}
	m.DeletedAt, m.Deleted = r.deletion()
	r.metadata(m)
	detach(&m.OrgID, &m.UserID)
	return m
}

// metadata reads publicMetadata. Only a deleted member may do without, as nothing matches it any more.
func (r *reader) metadata(m *Member) {
	const field, want = "publicMetadata", "an object"
	object := r.publicMetadata
	if object == "null" || object == "" && m.Deleted {
		object = "{}"
	}
	if !strings.HasPrefix(object, "{") {
		r.wrong(field, object, want)
	}
	if r.err != nil {
		return
	}
	if err := m.setMetadata(object); err != nil {
		r.fail(field, err.Error())
	}
}
