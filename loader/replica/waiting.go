package replica

import (
	"context"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// waiting remembers, by hash, the conversations that messages wait for, so that a new conversation costs no look-up
// unless something waits for it. It may hold too many, never too few.
type waiting struct {
	conn          clickhouse.Conn
	conversations map[uint64]struct{}
}

func openWaiting(ctx context.Context, conn clickhouse.Conn) (*waiting, error) {
	w := &waiting{conn: conn, conversations: map[uint64]struct{}{}}
	err := clickhouse.LookUp(ctx, conn, "waiting messages", nil, `
SELECT DISTINCT xxHash64(conversation_id)
FROM messages
WHERE org_id = '' AND conversation_id != ''`, func(scan clickhouse.Scan) error {
		var hash uint64
		err := scan(&hash)
		w.conversations[hash] = struct{}{}
		return err
	})
	return w, err
}

// note remembers rows that are going to be written.
func (w *waiting) note(rows []message) {
	for i := range rows {
		if rows[i].orgID == "" && rows[i].ConversationID != "" {
			w.conversations[index.Hash(rows[i].ConversationID)] = struct{}{}
		}
	}
}

func (w *waiting) has(conversationID string) bool {
	_, ok := w.conversations[index.Hash(conversationID)]
	return ok
}

// arrived forgets conversations whose messages wait no more.
func (w *waiting) arrived(arrivals []arrival) {
	for _, a := range arrivals {
		delete(w.conversations, index.Hash(a.ID))
	}
}

// Waiting returns the number of messages whose conversation is not known yet.
func (w *Writer) Waiting(ctx context.Context) (uint64, error) {
	var n uint64
	err := clickhouse.LookUp(ctx, w.conn, "waiting messages", nil, "SELECT count() FROM waiting_messages", func(scan clickhouse.Scan) error {
		return scan(&n)
	})
	return n, err
}
