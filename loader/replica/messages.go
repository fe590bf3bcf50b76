package replica

import (
	"context"
	"iter"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
	"github.com/orgstats/orgstats/loader/rollup"
)

// messages is the replica of the messages.
type messages struct {
	planned
	located[message]
	waiting *waiting
	rollups *rollup.Rollups
	unique  bool // the table was empty at first, and no key has two rows: reading needs no FINAL
}

func openMessages(ctx context.Context, conn clickhouse.Conn, rollups *rollup.Rollups) (*messages, error) {
	rows, err := clickhouse.Count(ctx, conn, "messages")
	if err != nil {
		return nil, err
	}
	waiting, err := openWaiting(ctx, conn)
	return &messages{
		located: located[message]{
			rowsOf[message]{
				locatedSchema("messages", "created_at", "conversation_id"), conn, messageColumns,
				func() *message { return &message{Message: &record.Message{}, owner: &owner{}} },
			},
			index.NewLocations(conn, "message"), func(row *message) string { return row.ID },
		},
		waiting: waiting, rollups: rollups, unique: rows == 0,
	}, err
}

// messages returns the messages of the batch.
func (b *Batch) messages() *winners[string, *record.Message] {
	return b.sets[record.KindMessage].(*winners[string, *record.Message])
}

// current returns the rows of the table that count, in SQL: where no key has two, what FINAL costs is saved.
func (m *messages) current() string {
	if m.unique {
		return "(SELECT * FROM messages WHERE is_deleted = 0) AS messages"
	}
	return "messages FINAL"
}

// storedMessages is the result of a look-up by id: the row of each id that has one, and where its rows ever were.
type storedMessages struct {
	rows map[string]*message
	at   index.Found
}

// conversations returns the ids of the conversations that the stored rows name.
func (s storedMessages) conversations() []string {
	ids := make([]string, 0, len(s.rows))
	for _, row := range s.rows {
		ids = append(ids, row.ConversationID)
	}
	return ids
}

// find looks up messages by id.
func (m *messages) find(ctx context.Context, ids []string) (storedMessages, error) {
	hashes := index.Hashes(ids)
	at, err := m.locations.Find(ctx, hashes)
	if err != nil {
		return storedMessages{}, err
	}
	rows, err := m.read(ctx, ids, hashes, at)
	return storedMessages{rows, at}, err
}

func (m *messages) lacking(ctx context.Context, partial []record.Record, floor uint64) (keys []string, err error) {
	stored, err := m.find(ctx, columnOf(partial, record.Record.Key))
	for _, r := range partial {
		old := stored.rows[r.Key()]
		if old == nil || old.LSN < floor || old.LSN == 0 || record.VersionOf(r).Unsent&record.FieldOther != 0 || old.Tools.Parts < 0 {
			keys = append(keys, r.Key())
		}
	}
	return keys, err
}

// change is what a set of messages needs written.
type change struct {
	rows    []message     // new rows, and tombstones of rows that moved away
	lost    []message     // rows that counted so far, and are replaced or hidden
	entries []index.Entry // new locations, to write before
	again   bool          // a row may have the key of one that is there
}

func (c *change) location(row int32) index.Location { return c.rows[row].location() }

// replace adds what brings a message, by the hash of its id, from the row that is there, if any, to the row that shall
// be. It reports whether anything changes.
func (c *change) replace(old *message, row message, hash uint64, at index.Found) bool {
	if old != nil && old.equals(&row) {
		return false
	}
	if old != nil && !old.hidden {
		c.lost = append(c.lost, *old)
	}
	if old != nil && old.location() != row.location() {
		c.rows, c.again = append(c.rows, old.tombstone()), true
	}
	if at.Has(hash, row.location()) {
		c.again = true
	} else {
		c.entries = append(c.entries, index.Entry{Hash: hash, Row: int32(len(c.rows))})
	}
	c.rows = append(c.rows, row)
	return true
}

// add adds what records change, given the hashes of their ids, what is stored and the conversations that are known, and
// returns how many change something.
func (c *change) add(records []*record.Message, hashes []uint64, stored storedMessages, known map[string]*conversation) (changed int) {
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

// write stores a change, whose rows waiting must have noted: marks, locations and whatever else must come before, side
// by side, then all rows at once.
func (m *messages) write(ctx context.Context, batch uint64, c change, before ...func(context.Context) error) error {
	if len(c.rows) > 0 {
		before = append(before,
			func(ctx context.Context) error {
				return m.rollups.MarkMessages(ctx, rollup.Change{Lost: counted(c.lost), Gained: counted(c.rows), Rows: len(c.rows)})
			},
			func(ctx context.Context) error { return m.locations.Write(ctx, c.entries, c.location) })
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

// counted yields those of some messages that count.
func counted(rows []message) iter.Seq[rollup.Message] {
	return func(yield func(rollup.Message) bool) {
		for i := range rows {
			if !rows[i].hidden && !yield(rows[i].counted()) {
				return
			}
		}
	}
}
