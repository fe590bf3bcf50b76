package replica

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
)

// messages is the replica of the messages.
type messages struct {
	conn      clickhouse.Conn
	positions *positions
	waiting   *waiting
	stale     *staleHours
	touched   *touched
	unique    bool // the table was empty at first, and no key has two rows: reading needs no FINAL
}

// current are the rows of the table that count, as in SQL: where no key has two, what FINAL costs is saved.
func (m *messages) current() string {
	if m.unique {
		return "(SELECT * FROM messages WHERE is_deleted = 0) AS messages"
	}
	return "messages FINAL"
}

// storedMessages is what a look-up by id tells: the row of each id that has one, and where its rows ever stood.
type storedMessages struct {
	rows map[string]*message
	at   found
}

// conversations are the ids of the conversations that the stored rows name.
func (s storedMessages) conversations() []string {
	ids := make([]string, 0, len(s.rows))
	for _, row := range s.rows {
		ids = append(ids, row.ConversationID)
	}
	return ids
}

// find looks up messages by id.
func (m *messages) find(ctx context.Context, ids []string) (storedMessages, error) {
	hashes := make([]uint64, len(ids))
	for i, id := range ids {
		hashes[i] = hashOf(id)
	}
	at, err := m.positions.find(ctx, hashes)
	if err != nil {
		return storedMessages{}, err
	}
	var places []position
	var placed []string
	for i, id := range ids {
		for _, p := range at[hashes[i]] {
			places, placed = append(places, p), append(placed, id)
		}
	}
	rows, err := m.read(ctx, places, placed)
	return storedMessages{rows, at}, err
}

// read reads the row of each id among the keys where it may stand. A row that was moved away or never written does not
// show.
func (m *messages) read(ctx context.Context, at []position, ids []string) (map[string]*message, error) {
	rows := make(map[string]*message, len(ids))
	if len(ids) == 0 {
		return rows, nil
	}
	const statement = `
SELECT toString(org_id), toUnixTimestamp64Milli(created_at), id, conversation_id, conversation_no, user_id, user_no,
    toString(agent_id), agent_no, toString(role), tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful,
    toUnixTimestamp64Milli(updated_at), deleted_at, tool_invocations, tool_parts, log_position, is_deleted
FROM
(
    SELECT *
    FROM messages
    WHERE (org_id, created_at, id) IN (SELECT org_id, at, id FROM keys)
    ORDER BY org_id, created_at, id, version DESC
    LIMIT 1 BY org_id, created_at, id
)
WHERE conversation_id != ''`
	err := query(ctx, m.conn, "messages", positionKeys(at, ids), statement, func(scan func(...any) error) error {
		row, err := scanMessage(scan)
		rows[row.ID] = row
		return err
	})
	return rows, err
}

func scanMessage(scan func(...any) error) (*message, error) {
	row := &message{Message: &record.Message{}, owner: &owner{}}
	var deletedAt *time.Time
	var hidden uint8
	err := scan(&row.orgID, &row.CreatedAt, &row.ID, &row.ConversationID, &row.conversationNo, &row.userID, &row.userNo,
		&row.agentID, &row.agentNo, &row.Role, &row.ToolCalls, &row.InputTokens, &row.OutputTokens, &row.TotalTokens, &row.Helpful,
		&row.NotHelpful, &row.UpdatedAt, &deletedAt, &row.Tools.Invocations, &row.Tools.Parts, &row.LSN, &hidden)
	row.DeletedAt, row.Deleted = deletion(deletedAt)
	row.hidden = hidden == 1
	return row, err
}

// change is what a set of messages needs written.
type change struct {
	rows    []message // new rows, and those that bury rows which moved away
	lost    []message // rows that counted so far, and are replaced or buried
	entries []entry   // positions to note before
	again   bool      // a row may have the key of one that is there
}

func (c *change) position(row int32) position { return c.rows[row].position() }

// replace adds what brings a message, by the hash of its id, from the row that is there, if any, to the row that shall
// be. It tells whether anything changes.
func (c *change) replace(old *message, row message, hash uint64, at found) bool {
	if old != nil && old.equals(&row) {
		return false
	}
	if old != nil && !old.hidden {
		c.lost = append(c.lost, *old)
	}
	if old != nil && old.position() != row.position() {
		c.rows, c.again = append(c.rows, old.buried()), true
	}
	if at.has(hash, row.position()) {
		c.again = true
	} else {
		c.entries = append(c.entries, entry{hash, int32(len(c.rows))})
	}
	c.rows = append(c.rows, row)
	return true
}

// merge adds what records change, given the hashes of their ids, what is stored and the conversations that are known,
// and tells how many change something.
func (c *change) merge(records []*record.Message, hashes []uint64, stored storedMessages, known map[string]*conversation) (changed int) {
	var last string // messages of a conversation often come one after the other
	conversation, owner := (*conversation)(nil), nobody
	for i, r := range records {
		old, current := stored.rows[r.ID], r
		switch {
		case old != nil && r.Before(&old.Version):
			current = old.Message // superseded; but its conversation may have become known
		case r.IsPartial() && old == nil:
			continue // what was deleted before it was known
		case r.IsPartial():
			current = r.After(old.Message)
		}
		if current.ConversationID != last {
			last, conversation = current.ConversationID, known[current.ConversationID]
			owner = conversation.owner()
		}
		if c.replace(old, newMessage(current, conversation, owner), hashes[i], stored.at) && (old == nil || current != old.Message) {
			changed++
		}
	}
	return changed
}

// write stores a change, whose rows waiting must have noted: marks, positions and whatever else must come before, side
// by side, then all rows at once.
func (m *messages) write(ctx context.Context, batch uint64, c change, before ...func(context.Context) error) error {
	if len(c.rows) > 0 {
		before = append(before,
			func(ctx context.Context) error { return m.mark(ctx, &c) },
			func(ctx context.Context) error { return m.positions.write(ctx, c.entries, c.position) })
	}
	m.unique = m.unique && !c.again
	first, firstCtx := errgroup.WithContext(ctx)
	for _, step := range before {
		first.Go(func() error { return step(firstCtx) })
	}
	if err := first.Wait(); err != nil || len(c.rows) == 0 {
		return err
	}
	return m.insertAll(ctx, batch, &c)
}

// halvesFrom is how many rows are inserted as two halves, at the same time: ClickHouse sorts and writes an insert with
// one thread.
const halvesFrom = 100_000

// insertAll inserts the rows of a change, all at once if some hide where others stood.
func (m *messages) insertAll(ctx context.Context, batch uint64, c *change) error {
	if c.again || len(c.rows) < halvesFrom {
		return m.insert(ctx, batch, c.rows)
	}
	halves, ctx := errgroup.WithContext(ctx)
	for half := range slices.Chunk(c.rows, (len(c.rows)+1)/2) {
		halves.Go(func() error { return m.insert(ctx, batch, half) })
	}
	return halves.Wait()
}

func (m *messages) mark(ctx context.Context, c *change) error {
	hours, organizations := c.touchedHours()
	m.touched.note(c)
	return m.stale.mark(ctx, organizations, hours)
}

func (m *messages) insert(ctx context.Context, batch uint64, rows []message) error {
	return insert(ctx, m.conn, `INSERT INTO messages (org_id, created_at, id, conversation_id, conversation_no, user_id, user_no,
    agent_id, agent_no, role, tool_calls, input_tokens, output_tokens, total_tokens, helpful, not_helpful, updated_at, deleted_at,
    tool_invocations, tool_parts, log_position, version, is_deleted)`, rows,
		each(func(r *message) string { return r.orgID }),
		each(func(r *message) int64 { return r.CreatedAt }),
		each(func(r *message) string { return r.ID }),
		each(func(r *message) string { return r.ConversationID }),
		each(func(r *message) uint32 { return r.conversationNo }),
		each(func(r *message) string { return r.userID }),
		each(func(r *message) uint32 { return r.userNo }),
		each(func(r *message) string { return r.agentID }),
		each(func(r *message) uint32 { return r.agentNo }),
		each(func(r *message) string { return r.Role }),
		each(func(r *message) uint32 { return r.ToolCalls }),
		each(func(r *message) uint32 { return r.InputTokens }),
		each(func(r *message) uint32 { return r.OutputTokens }),
		each(func(r *message) uint32 { return r.TotalTokens }),
		each(func(r *message) uint32 { return r.Helpful }),
		each(func(r *message) uint32 { return r.NotHelpful }),
		each(func(r *message) int64 { return r.UpdatedAt }),
		each(func(r *message) *int64 { return nullableTime(r.DeletedAt, r.Deleted) }),
		each(func(r *message) int32 { return r.Tools.Invocations }),
		each(func(r *message) int32 { return r.Tools.Parts }),
		each(func(r *message) uint64 { return r.LSN }),
		same[message](batch),
		each(func(r *message) uint8 { return bit(r.hidden) }))
}
