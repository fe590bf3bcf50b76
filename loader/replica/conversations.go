package replica

import (
	"context"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// conversationsCached is how many conversations stay in memory, about 500 bytes each.
const conversationsCached = 120_000

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

var conversationColumns = append(versionColumns(func(c *conversation) *record.Version { return &c.Version }),
	clickhouse.Field("id", func(c *conversation) *string { return &c.ID }),
	clickhouse.Text("org_id", func(c *conversation) *string { return &c.OrgID }),
	clickhouse.Field("user_id", func(c *conversation) *string { return &c.UserID }),
	clickhouse.Text("agent_id", func(c *conversation) *string { return &c.AgentID }),
	clickhouse.Field("conversation_no", func(c *conversation) *uint32 { return &c.no }),
	clickhouse.Field("user_no", func(c *conversation) *uint32 { return &c.userNo }),
	clickhouse.Field("agent_no", func(c *conversation) *uint32 { return &c.agentNo }),
	clickhouse.Millis("created_at", func(c *conversation) *int64 { return &c.CreatedAt }),
	clickhouse.Value("is_deleted", func(c *conversation) uint8 { return bit(c.Deleted) }))

// conversations is the replica of the conversations.
type conversations struct {
	planned
	sentWhole
	rowsOf[conversation]
	users    *index.Numbers
	agents   *index.Numbers
	numbers  index.Sequence
	orgs     map[string]string // interned: marks of hours, which outlive a row, do not hold the texts of its record
	presence *index.Presence
	cache    *index.Cache[string, *conversation]
}

func openConversations(ctx context.Context, conn clickhouse.Conn) (*conversations, error) {
	users, err := index.OpenNumbers(ctx, conn, index.NumbersTable{Name: "users", ID: "user_id", No: "user_no"})
	if err != nil {
		return nil, err
	}
	agents, err := index.OpenNumbers(ctx, conn, index.NumbersTable{Name: "agents", ID: "agent_id", No: "agent_no"})
	if err != nil {
		return nil, err
	}
	numbers, err := index.OpenSequence(ctx, conn, "conversations", "conversation_no")
	return &conversations{
		rowsOf: rowsOf[conversation]{
			conn: conn, columns: conversationColumns, blank: func() *conversation { return &conversation{} },
			of: schema{
				name: "conversations", sortKey: "id", exists: "1", key: "id", position: "'', toInt64(0), id", after: "{id:String}",
			},
		},
		users: users, agents: agents, numbers: numbers, orgs: map[string]string{}, presence: index.OfConversations(conn),
		cache: index.NewCache[string, *conversation](conversationsCached),
	}, err
}

// conversations returns the conversations of the batch.
func (b *Batch) conversations() *winners[string, *record.Conversation] {
	return b.sets[record.KindConversation].(*winners[string, *record.Conversation])
}

// find looks up conversations by ids, which may come more than once. The result has nil for those that are not known.
func (c *conversations) find(ctx context.Context, ids []string) (map[string]*conversation, error) {
	result := map[string]*conversation{"": nil} // the id of none
	var unknown []string
	for _, id := range ids {
		if _, seen := result[id]; seen {
			continue
		}
		row, ok := c.cache.Get(id)
		if !ok {
			unknown = append(unknown, id)
		}
		result[id] = row
	}
	unknown, err := c.candidates(ctx, unknown)
	if err != nil || len(unknown) == 0 {
		return result, err
	}
	err = c.lookUp(ctx, clickhouse.StringKeys("id", unknown), "id IN (SELECT id FROM keys)", func(row *conversation) {
		result[row.ID] = row
		c.cache.Put(row.ID, row)
	})
	return result, err
}

// candidates returns those of some ids that may be stored.
func (c *conversations) candidates(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	indexes, err := c.presence.Candidates(ctx, index.Hashes(ids))
	return columnOf(indexes, func(i int32) string { return ids[i] }), err
}

func (c *conversations) stored(ctx context.Context, ids []string) (stored []string, err error) {
	rows, err := c.find(ctx, ids)
	for _, id := range ids {
		if rows[id] != nil {
			stored = append(stored, id)
		}
	}
	return stored, err
}

// turn goes on to the next batch.
func (c *conversations) turn() {
	c.cache.Turn()
	c.users.Turn()
	c.agents.Turn()
}

// changed returns the new rows of the records that change something, with their numbers, and expects them to be
// written. Stored is what was there, by id.
func (c *conversations) changed(ctx context.Context, records []*record.Conversation, stored map[string]*conversation) ([]*conversation, error) {
	var rows []*conversation
	var users, agents []index.OwnedID
	for _, r := range records {
		old := stored[r.ID]
		if r.IsPartial() {
			if old == nil {
				continue // what was deleted before it was known
			}
			r = r.After(&old.Conversation)
		}
		if old != nil && (r.Before(&old.Version) || *r == old.Conversation) {
			continue
		}
		row := &conversation{Conversation: *r}
		row.OrgID = c.org(row.OrgID)
		rows = append(rows, row)
		users = append(users, index.OwnedID{OrgID: r.OrgID, ID: r.UserID})
		if r.AgentID != "" {
			agents = append(agents, index.OwnedID{OrgID: r.OrgID, ID: r.AgentID})
		}
	}
	userNos, err := c.users.Assign(ctx, users)
	if err != nil {
		return nil, err
	}
	agentNos, err := c.agents.Assign(ctx, agents)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		row.userNo = userNos[index.OwnedID{OrgID: row.OrgID, ID: row.UserID}]
		row.agentNo = agentNos[index.OwnedID{OrgID: row.OrgID, ID: row.AgentID}]
		if old := stored[row.ID]; old != nil && old.OrgID == row.OrgID {
			row.no = old.no
		} else if row.no, err = c.numbers.Next(row.OrgID); err != nil { // it is new in the organization
			return nil, err
		}
		c.cache.Expect(row.ID, row)
	}
	return rows, nil
}

// writeNumbers stores numbers that were assigned.
func (c *conversations) writeNumbers(ctx context.Context, users, agents []index.Assignment) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return c.users.Write(ctx, users) })
	both.Go(func() error { return c.agents.Write(ctx, agents) })
	return both.Wait()
}

// write stores rows that are expected. Their numbers must be there.
// org returns the interned id of an organization.
func (c *conversations) org(id string) string {
	same, known := c.orgs[id]
	if !known {
		same = strings.Clone(id)
		c.orgs[same] = same
	}
	return same
}

func (c *conversations) write(ctx context.Context, batch uint64, rows []*conversation) error {
	if len(rows) == 0 {
		return nil
	}
	return c.insert(ctx, batch, columnOf(rows, func(r *conversation) conversation { return *r }))
}
