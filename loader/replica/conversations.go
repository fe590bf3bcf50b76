package replica

import (
	"context"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
)

// conversationsCached is how many conversations stay in memory, about 500 bytes each.
const conversationsCached = 120_000

const (
	conversationsGranule = 1024      // index_granularity of the table
	conversationsLeast   = 4_000_000 // in a filter: 9 MB
)

// conversations is the replica of the conversations.
type conversations struct {
	conn   clickhouse.Conn
	users  *numbers
	agents *numbers
	orgs   map[string]string // the same text for the same organization: what is remembered of a conversation's time must not hold its texts
	last   map[string]uint32 // the last conversation_no of each organization
	stored known
	known  *cache[string, *conversation]
	fresh  recent[string, *conversation] // new and changed rows, perhaps not written yet
}

func openConversations(ctx context.Context, conn clickhouse.Conn) (*conversations, error) {
	users, err := openNumbers(ctx, conn, "users", "user_id", "user_no")
	if err != nil {
		return nil, err
	}
	agents, err := openNumbers(ctx, conn, "agents", "agent_id", "agent_no")
	if err != nil {
		return nil, err
	}
	last, err := lastNumbers(ctx, conn, "conversations", "conversation_no")
	return &conversations{
		conn: conn, users: users, agents: agents, orgs: map[string]string{}, last: last,
		stored: known{conn: conn, what: "conversations", from: "conversations", hash: "xxHash64(id)", granule: conversationsGranule, least: conversationsLeast},
		known:  newCache[string, *conversation](conversationsCached), fresh: newRecent[string, *conversation](),
	}, err
}

const conversationColumns = `
    id, toString(org_id), user_id, toString(agent_id), conversation_no, user_no, agent_no,
    toUnixTimestamp64Milli(created_at), toUnixTimestamp64Milli(updated_at), deleted_at, log_position`

func scanConversation(scan func(...any) error) (*conversation, error) {
	c := &conversation{}
	var deletedAt *time.Time
	err := scan(&c.ID, &c.OrgID, &c.UserID, &c.AgentID, &c.no, &c.userNo, &c.agentNo, &c.CreatedAt, &c.UpdatedAt, &deletedAt,
		&c.LSN)
	c.DeletedAt, c.Deleted = deletion(deletedAt)
	return c, err
}

// find looks up conversations by ids, which may come more than once. The result has nil for those that are not known.
func (c *conversations) find(ctx context.Context, ids []string) (map[string]*conversation, error) {
	result := map[string]*conversation{"": nil} // the id of none
	var unknown []string
	for _, id := range ids {
		if _, met := result[id]; met {
			continue
		}
		known, ok := c.fresh.get(id)
		if !ok {
			known, ok = c.known.get(id)
		}
		if !ok {
			unknown = append(unknown, id)
		}
		result[id] = known
	}
	unknown, err := c.candidates(ctx, unknown)
	if err != nil || len(unknown) == 0 {
		return result, err
	}
	const statement = `SELECT` + conversationColumns + `
FROM conversations
WHERE id IN (SELECT id FROM keys)
ORDER BY id, version DESC
LIMIT 1 BY id`
	err = query(ctx, c.conn, "conversations", stringKeys("id", unknown), statement, func(scan func(...any) error) error {
		found, err := scanConversation(scan)
		result[found.ID] = found
		c.known.put(found.ID, found)
		return err
	})
	return result, err
}

// candidates are those of some ids that may be stored.
func (c *conversations) candidates(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	places, err := c.stored.candidates(ctx, columnOf(ids, func(id *string) uint64 { return hashOf(*id) }))
	return columnOf(places, func(i *int32) string { return ids[*i] }), err
}

// writtenBy reads the conversations that a batch wrote, a page at a time in the order of their ids.
func (c *conversations) writtenBy(ctx context.Context, batch uint64, after string, limit int64) ([]*conversation, error) {
	params := clickhouse.Params{}
	params.Int64("batch", int64(batch))
	params.String("after", after)
	params.Int64("limit", limit)
	const statement = `SELECT` + conversationColumns + `
FROM conversations
WHERE version = {batch:UInt64} AND id > {after:String}
ORDER BY id
LIMIT 1 BY id
LIMIT {limit:UInt64}`
	var result []*conversation
	err := query(clickhouse.WithParams(ctx, params), c.conn, "conversations of a batch", nil, statement, func(scan func(...any) error) error {
		found, err := scanConversation(scan)
		result = append(result, found)
		return err
	})
	return result, err
}

// turn goes on to the next batch.
func (c *conversations) turn() {
	c.fresh.turn()
	c.users.fresh.turn()
	c.agents.fresh.turn()
}

// expect takes in rows that are going to be written, whose ids were taken.
func (c *conversations) expect(rows []*conversation) {
	for _, row := range rows {
		c.fresh.put(row.ID, row)
		c.known.put(row.ID, row)
	}
}

// merge decides which records change something, and gives those their numbers. The result holds the new rows; stored is
// what was there, by id.
func (c *conversations) merge(ctx context.Context, records []*record.Conversation, stored map[string]*conversation) ([]*conversation, error) {
	var rows []*conversation
	var users, agents []ownedKey
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
		users = append(users, ownedKey{r.OrgID, r.UserID})
		if r.AgentID != "" {
			agents = append(agents, ownedKey{r.OrgID, r.AgentID})
		}
	}
	userNos, err := c.users.assign(ctx, users)
	if err != nil {
		return nil, err
	}
	agentNos, err := c.agents.assign(ctx, agents)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		row.userNo, row.agentNo = userNos[ownedKey{row.OrgID, row.UserID}], agentNos[ownedKey{row.OrgID, row.AgentID}]
		if row.no, err = c.number(row, stored[row.ID]); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func (c *conversations) org(id string) string {
	same, met := c.orgs[id]
	if !met {
		same = strings.Clone(id)
		c.orgs[same] = same
	}
	return same
}

// number is the conversation's number: the one that it has, or the next one of an organization that it is new in.
func (c *conversations) number(row, old *conversation) (uint32, error) {
	if old != nil && old.OrgID == row.OrgID {
		return old.no, nil
	}
	return next(c.last, row.OrgID)
}

// writeNumbers stores numbers that were given.
func (c *conversations) writeNumbers(ctx context.Context, users, agents []givenNumber) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return c.users.write(ctx, users) })
	both.Go(func() error { return c.agents.write(ctx, agents) })
	return both.Wait()
}

// write stores rows that are expected. Their numbers must be there.
func (c *conversations) write(ctx context.Context, batch uint64, rows []*conversation) error {
	if len(rows) == 0 {
		return nil
	}
	return insert(ctx, c.conn, `INSERT INTO conversations (id, org_id, user_id, agent_id,
    conversation_no, user_no, agent_no, created_at, updated_at, deleted_at, log_position, version, is_deleted)`, rows,
		each(func(r **conversation) string { return (*r).ID }),
		each(func(r **conversation) string { return (*r).OrgID }),
		each(func(r **conversation) string { return (*r).UserID }),
		each(func(r **conversation) string { return (*r).AgentID }),
		each(func(r **conversation) uint32 { return (*r).no }),
		each(func(r **conversation) uint32 { return (*r).userNo }),
		each(func(r **conversation) uint32 { return (*r).agentNo }),
		each(func(r **conversation) int64 { return (*r).CreatedAt }),
		each(func(r **conversation) int64 { return (*r).UpdatedAt }),
		each(func(r **conversation) *int64 { return nullableTime((*r).DeletedAt, (*r).Deleted) }),
		each(func(r **conversation) uint64 { return (*r).LSN }),
		same[*conversation](batch),
		each(func(r **conversation) uint8 { return bit((*r).Deleted) }))
}
