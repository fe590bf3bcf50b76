package replica

import (
	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
	"github.com/orgstats/orgstats/loader/rollup"
)

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

// owner returns what the conversation's messages need of it; they may share it.
func (c *conversation) owner() *owner {
	if c == nil {
		return nobody
	}
	return &owner{c.OrgID, c.UserID, c.AgentID, c.no, c.userNo, c.agentNo}
}

// newMessage returns the row of a message of a conversation, whose owner is given. The conversation is nil when it is
// not known yet: the message waits.
func newMessage(r *record.Message, c *conversation, o *owner) message {
	return message{r, o, c == nil || r.Deleted || c.Deleted}
}

// equals reports whether nothing distinguishes two rows.
func (m *message) equals(other *message) bool {
	return *m.Message == *other.Message && *m.owner == *other.owner && m.hidden == other.hidden
}

func (m *message) location() index.Location { return index.Location{OrgID: m.orgID, At: m.CreatedAt} }

// tombstone returns the row that hides this row at its sort key, because the message is elsewhere now. Its
// conversation is "" so that a look-up by id passes over it.
func (m *message) tombstone() message {
	return message{
		Message: &record.Message{Version: record.Version{UpdatedAt: m.UpdatedAt, LSN: m.LSN}, ID: m.ID, CreatedAt: m.CreatedAt},
		owner:   &owner{orgID: m.orgID}, hidden: true,
	}
}

// counted returns what the figures need of the message.
func (m *message) counted() rollup.Message {
	return rollup.Message{OrgID: m.orgID, AgentID: m.agentID, UserNo: m.userNo, ConversationNo: m.conversationNo, CreatedAt: m.CreatedAt}
}

var messageColumns = append(versionColumns(func(m *message) *record.Version { return &m.Version }),
	clickhouse.Text("org_id", func(m *message) *string { return &m.orgID }),
	clickhouse.Millis("created_at", func(m *message) *int64 { return &m.CreatedAt }),
	clickhouse.Field("id", func(m *message) *string { return &m.ID }),
	clickhouse.Field("conversation_id", func(m *message) *string { return &m.ConversationID }),
	clickhouse.Field("conversation_no", func(m *message) *uint32 { return &m.conversationNo }),
	clickhouse.Field("user_id", func(m *message) *string { return &m.userID }),
	clickhouse.Field("user_no", func(m *message) *uint32 { return &m.userNo }),
	clickhouse.Text("agent_id", func(m *message) *string { return &m.agentID }),
	clickhouse.Field("agent_no", func(m *message) *uint32 { return &m.agentNo }),
	clickhouse.Text("role", func(m *message) *string { return &m.Role }),
	clickhouse.Field("tool_calls", func(m *message) *uint32 { return &m.ToolCalls }),
	clickhouse.Field("input_tokens", func(m *message) *uint32 { return &m.InputTokens }),
	clickhouse.Field("output_tokens", func(m *message) *uint32 { return &m.OutputTokens }),
	clickhouse.Field("total_tokens", func(m *message) *uint32 { return &m.TotalTokens }),
	clickhouse.Field("helpful", func(m *message) *uint32 { return &m.Helpful }),
	clickhouse.Field("not_helpful", func(m *message) *uint32 { return &m.NotHelpful }),
	clickhouse.Field("tool_invocations", func(m *message) *int32 { return &m.Tools.Invocations }),
	clickhouse.Field("tool_parts", func(m *message) *int32 { return &m.Tools.Parts }),
	clickhouse.Value("is_deleted", func(m *message) uint8 { return bit(m.hidden) }),
	clickhouse.Expression("is_deleted", func(m *message) *bool { return &m.hidden }))
