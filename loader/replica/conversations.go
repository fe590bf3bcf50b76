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

// conversations is the replica of the conversations.
type conversations struct {
	conn     clickhouse.Conn
	users    *index.Numbers
	agents   *index.Numbers
	numbers  index.Sequence
	orgs     map[string]string // interned, so that a cached conversation does not hold all texts of its record
	presence *index.Presence
	cache    *index.Cache[string, *conversation]
	pending  index.Pending[string, *conversation] // new and changed rows
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
		conn: conn, users: users, agents: agents, numbers: numbers, orgs: map[string]string{},
		presence: index.OfConversations(conn),
		cache:    index.NewCache[string, *conversation](conversationsCached), pending: index.NewPending[string, *conversation](),
	}, err
}

// lookUp runs a query that selects conversationColumns.
func (c *conversations) lookUp(ctx context.Context, keys *clickhouse.Keys, query string, f func(*conversation)) error {
	return clickhouse.LookUp(ctx, c.conn, "conversations", keys, query, func(scan clickhouse.Scan) error {
		row := &conversation{}
		err := conversationColumns.Scan(scan, row)
		f(row)
		return err
	})
}

// find looks up conversations by ids, which may come more than once. The result has nil for those that are not known.
func (c *conversations) find(ctx context.Context, ids []string) (map[string]*conversation, error) {
	result := map[string]*conversation{"": nil} // the id of none
	var unknown []string
	for _, id := range ids {
		if _, seen := result[id]; seen {
			continue
		}
		row, ok := c.pending.Get(id)
		if !ok {
			row, ok = c.cache.Get(id)
		}
		if !ok {
			unknown = append(unknown, id)
		}
		result[id] = row
	}
	unknown, err := c.candidates(ctx, unknown)
	if err != nil || len(unknown) == 0 {
		return result, err
	}
	query := `
SELECT ` + conversationColumns.Select() + `
FROM conversations
WHERE id IN (SELECT id FROM keys)
ORDER BY id, version DESC
LIMIT 1 BY id`
	err = c.lookUp(ctx, clickhouse.StringKeys("id", unknown), query, func(row *conversation) {
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

// writtenBy reads the conversations that a batch wrote, a page at a time in the order of their ids.
func (c *conversations) writtenBy(ctx context.Context, batch uint64, after string, limit int64) ([]*conversation, error) {
	params := clickhouse.Params{}
	params.Int64("batch", int64(batch))
	params.String("after", after)
	params.Int64("limit", limit)
	query := `
SELECT ` + conversationColumns.Select() + `
FROM conversations
WHERE version = {batch:UInt64} AND id > {after:String}
ORDER BY id
LIMIT 1 BY id
LIMIT {limit:UInt64}`
	var rows []*conversation
	err := c.lookUp(clickhouse.WithParams(ctx, params), nil, query, func(row *conversation) { rows = append(rows, row) })
	return rows, err
}

// turn goes on to the next batch.
func (c *conversations) turn() {
	c.pending.Turn()
	c.users.Turn()
	c.agents.Turn()
}

// expect remembers rows that are going to be written, whose ids are expected.
func (c *conversations) expect(rows []*conversation) {
	for _, row := range rows {
		c.pending.Put(row.ID, row)
		c.cache.Put(row.ID, row)
	}
}

// changed returns the new rows of the records that change something, with their numbers. Stored is what was there, by
// id.
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
		if row.no, err = c.number(row, stored[row.ID]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// org returns the interned id of an organization.
func (c *conversations) org(id string) string {
	same, seen := c.orgs[id]
	if !seen {
		same = strings.Clone(id)
		c.orgs[same] = same
	}
	return same
}

// number returns the conversation's number: the one that it has, or the next one of an organization that it is new in.
func (c *conversations) number(row, old *conversation) (uint32, error) {
	if old != nil && old.OrgID == row.OrgID {
		return old.no, nil
	}
	return c.numbers.Next(row.OrgID)
}

// writeNumbers stores numbers that were assigned.
func (c *conversations) writeNumbers(ctx context.Context, users, agents []index.Assignment) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return c.users.Write(ctx, users) })
	both.Go(func() error { return c.agents.Write(ctx, agents) })
	return both.Wait()
}

// write stores rows that are expected. Their numbers must be there.
func (c *conversations) write(ctx context.Context, batch uint64, rows []*conversation) error {
	if len(rows) == 0 {
		return nil
	}
	values := columnOf(rows, func(r *conversation) conversation { return *r })
	return clickhouse.Insert(ctx, c.conn, "conversations", values, versioned(conversationColumns, batch)...)
}
