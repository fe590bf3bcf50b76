package replica

import (
	"time"

	"github.com/orgstats/orgstats/loader/record"
)

// conversation is a conversation with the dense numbers of its organization: a row of the table conversations.
type conversation struct {
	record.Conversation
	no, userNo, agentNo uint32
}

// countsLike tells whether both give their messages the same organization, numbers and visibility.
func (c *conversation) countsLike(other *conversation) bool {
	return c.OrgID == other.OrgID && c.UserID == other.UserID && c.AgentID == other.AgentID &&
		c.no == other.no && c.userNo == other.userNo && c.agentNo == other.agentNo && c.Deleted == other.Deleted
}

// message is a row of the table messages: the record and whose it is.
type message struct {
	*record.Message
	*owner
	hidden bool
}

// owner is what a message needs of its conversation.
type owner struct {
	orgID, userID, agentID          string
	conversationNo, userNo, agentNo uint32
}

// nobody owns a message whose conversation is not known yet.
var nobody = &owner{}

// owner is what the conversation's messages need of it; they may share it.
func (c *conversation) owner() *owner {
	if c == nil {
		return nobody
	}
	return &owner{c.OrgID, c.UserID, c.AgentID, c.no, c.userNo, c.agentNo}
}

// newMessage makes the row of a message of a conversation, whose owner is given. The conversation is nil when it is not
// known yet: the message waits.
func newMessage(r *record.Message, c *conversation, o *owner) message {
	return message{r, o, c == nil || r.Deleted || c.Deleted}
}

// equals tells whether nothing distinguishes two rows.
func (m *message) equals(other *message) bool {
	return *m.Message == *other.Message && *m.owner == *other.owner && m.hidden == other.hidden
}

// position is where a message or a file stands in its table: the part of the sorting key before the id.
type position struct {
	orgID string
	at    int64 // milliseconds since 1970 UTC
}

func (m *message) position() position { return position{m.orgID, m.CreatedAt} }

// buried is the row that hides what stood at this row's key, because the message stands elsewhere now. Its conversation
// is "" so that a look-up by id passes over it.
func (m *message) buried() message {
	return message{
		Message: &record.Message{Version: record.Version{UpdatedAt: m.UpdatedAt, LSN: m.LSN}, ID: m.ID, CreatedAt: m.CreatedAt},
		owner:   &owner{orgID: m.orgID}, hidden: true,
	}
}

func kbFilePosition(f *record.KBFile) position { return position{f.OrgID, f.ProcessedAt} }

// buriedKBFile is for a file what buried is for a message: its knowledge base is "".
func buriedKBFile(f *record.KBFile) record.KBFile {
	return record.KBFile{
		Version: record.Version{UpdatedAt: f.UpdatedAt, Deleted: true, LSN: f.LSN},
		ID:      f.ID, OrgID: f.OrgID, ProcessedAt: f.ProcessedAt, CreatedAt: f.CreatedAt,
	}
}

// deletion reads a nullable time into the two fields of a record.
func deletion(t *time.Time) (at int64, deleted bool) {
	if t == nil {
		return 0, false
	}
	return t.UnixMilli(), true
}
