package replica

import (
	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
	"github.com/orgstats/orgstats/loader/rollup"
)

// conversation is a row of the table conversations: the record and its dense numbers.
type conversation struct {
	record.Conversation
	no, userNo, agentNo uint32
}

// countsLike reports whether both have the same organization, numbers and visibility for their messages.
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

func kbFileLocation(f *record.KBFile) index.Location {
	return index.Location{OrgID: f.OrgID, At: f.ProcessedAt}
}

// kbFileTombstone returns for a file what tombstone returns for a message: its knowledge base is "".
func kbFileTombstone(f *record.KBFile) record.KBFile {
	return record.KBFile{
		Version: record.Version{UpdatedAt: f.UpdatedAt, Deleted: true, LSN: f.LSN},
		ID:      f.ID, OrgID: f.OrgID, ProcessedAt: f.ProcessedAt, CreatedAt: f.CreatedAt,
	}
}

// member is a row of the table members: the record and its user's dense number.
type member struct {
	*record.Member
	userNo uint32
}

// The columns of the tables, but for version, which is the number of the batch that writes a row, and is_deleted.
var (
	conversationColumns = append(versionColumns(func(c *conversation) *record.Version { return &c.Version }),
		clickhouse.Field("id", func(c *conversation) *string { return &c.ID }),
		clickhouse.Text("org_id", func(c *conversation) *string { return &c.OrgID }),
		clickhouse.Field("user_id", func(c *conversation) *string { return &c.UserID }),
		clickhouse.Text("agent_id", func(c *conversation) *string { return &c.AgentID }),
		clickhouse.Field("conversation_no", func(c *conversation) *uint32 { return &c.no }),
		clickhouse.Field("user_no", func(c *conversation) *uint32 { return &c.userNo }),
		clickhouse.Field("agent_no", func(c *conversation) *uint32 { return &c.agentNo }),
		clickhouse.Millis("created_at", func(c *conversation) *int64 { return &c.CreatedAt }),
		clickhouse.Value("is_deleted", func(c *conversation) uint8 { return bit(c.Deleted) }))

	messageColumns = append(versionColumns(func(m *message) *record.Version { return &m.Version }),
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

	kbFileColumns = append(versionColumns(func(f *record.KBFile) *record.Version { return &f.Version }),
		clickhouse.Text("org_id", func(f *record.KBFile) *string { return &f.OrgID }),
		clickhouse.Millis("processed_at", func(f *record.KBFile) *int64 { return &f.ProcessedAt }),
		clickhouse.Field("id", func(f *record.KBFile) *string { return &f.ID }),
		clickhouse.Field("knowledge_base_id", func(f *record.KBFile) *string { return &f.KnowledgeBaseID }),
		clickhouse.Text("processing_status", func(f *record.KBFile) *string { return &f.Status }),
		clickhouse.Field("input_tokens", func(f *record.KBFile) *uint32 { return &f.InputTokens }),
		clickhouse.Field("output_tokens", func(f *record.KBFile) *uint32 { return &f.OutputTokens }),
		clickhouse.Field("total_tokens", func(f *record.KBFile) *uint32 { return &f.TotalTokens }),
		clickhouse.Millis("created_at", func(f *record.KBFile) *int64 { return &f.CreatedAt }),
		clickhouse.Value("is_deleted", func(f *record.KBFile) uint8 { return bit(f.Deleted) }))

	memberColumns = append(versionColumns(func(m *member) *record.Version { return &m.Version }),
		clickhouse.Text("org_id", func(m *member) *string { return &m.OrgID }),
		clickhouse.Field("user_id", func(m *member) *string { return &m.UserID }),
		clickhouse.Field("user_no", func(m *member) *uint32 { return &m.userNo }),
		clickhouse.Field("metadata", func(m *member) *string { return &m.Metadata }),
		clickhouse.Field("metadata_paths", func(m *member) *[]string { return &m.Paths }),
		clickhouse.Field("metadata_pair_paths", func(m *member) *[]string { return &m.PairPaths }),
		clickhouse.Field("metadata_pair_values", func(m *member) *[]string { return &m.PairValues }),
		clickhouse.Field("source_key", func(m *member) *string { return &m.SourceKey }),
		clickhouse.Value("is_deleted", func(m *member) uint8 { return bit(m.Deleted) }))
)

// versionColumns returns the columns of a record's version, which all tables have.
func versionColumns[R any](version func(*R) *record.Version) clickhouse.Columns[R] {
	return clickhouse.Columns[R]{
		clickhouse.Millis("updated_at", func(r *R) *int64 { return &version(r).UpdatedAt }),
		clickhouse.Value("deleted_at", func(r *R) *int64 {
			if v := version(r); v.Deleted {
				return &v.DeletedAt
			}
			return nil
		}),
		clickhouse.Expression("ifNull(toUnixTimestamp64Milli(deleted_at), 0)", func(r *R) *int64 { return &version(r).DeletedAt }),
		clickhouse.Expression("deleted_at IS NOT NULL", func(r *R) *bool { return &version(r).Deleted }),
		clickhouse.Field("log_position", func(r *R) *uint64 { return &version(r).LSN }),
	}
}

// versioned returns columns and the number of the batch that writes them.
func versioned[R any](columns clickhouse.Columns[R], batch uint64) clickhouse.Columns[R] {
	return append(columns[:len(columns):len(columns)], clickhouse.Constant[R]("version", batch))
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// columnOf returns one value of each row.
func columnOf[R, V any](rows []R, value func(R) V) []V {
	out := make([]V, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out
}

// setOf returns the distinct values of rows.
func setOf[R any, V comparable](rows []R, value func(*R) V) map[V]struct{} {
	set := map[V]struct{}{}
	for i := range rows {
		set[value(&rows[i])] = struct{}{}
	}
	return set
}
