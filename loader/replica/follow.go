package replica

import (
	"context"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// refreshChunk is how many messages are rewritten at once when conversations change.
const refreshChunk = 50_000

// arrival is a conversation that is new or changed, and the organization that its messages have so far: "" when they
// wait for it.
type arrival struct {
	*conversation
	home string
}

// arrivals returns the written rows whose messages, if any, must follow.
func (w *Writer) arrivals(rows []*conversation, stored map[string]*conversation) []arrival {
	var result []arrival
	for _, row := range rows {
		switch old := stored[row.ID]; {
		case old == nil && w.messages.waiting.has(row.ID):
			result = append(result, arrival{row, ""})
		case old != nil && !row.countsLike(old):
			result = append(result, arrival{row, old.OrgID})
		}
	}
	return result
}

// follow brings the messages of arrivals up to their conversation.
func (w *Writer) follow(ctx context.Context, batch uint64, arrivals []arrival) error {
	if len(arrivals) == 0 {
		return nil
	}
	keys := clickhouse.StringKeys("conversation_id", columnOf(arrivals, func(a arrival) string { return a.ID })).
		Add("org_id", "String", columnOf(arrivals, func(a arrival) string { return a.home }))
	ids, err := lookUpTexts(ctx, w.conn, "messages of conversations", keys, `
SELECT DISTINCT id
FROM messages
WHERE org_id IN (SELECT org_id FROM keys) AND conversation_id IN (SELECT conversation_id FROM keys)`)
	if err != nil {
		return err
	}
	if err := w.refresh(ctx, batch, ids); err != nil {
		return err
	}
	w.messages.waiting.arrived(arrivals)
	return nil
}

// refresh writes again the messages that do not match their conversation. It can be repeated: a message that is up to
// date is left alone.
func (w *Writer) refresh(ctx context.Context, batch uint64, ids []string) error {
	for chunk := range slices.Chunk(ids, refreshChunk) {
		stored, err := w.messages.find(ctx, chunk)
		if err != nil {
			return err
		}
		known, err := w.conversations.find(ctx, stored.conversations())
		if err != nil {
			return err
		}
		var c change
		for _, id := range chunk {
			if old := stored.rows[id]; old != nil {
				conversation := known[old.ConversationID]
				c.replace(old, newMessage(old.Message, conversation, conversation.owner()), index.Hash(id), stored.at)
			}
		}
		w.messages.waiting.note(c.rows)
		if err := w.messages.write(ctx, batch, c); err != nil {
			return err
		}
	}
	return nil
}
