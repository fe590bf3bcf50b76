package replica

import (
	"fmt"

	"github.com/orgstats/orgstats/loader/record"
)

// Batch is a set of records that are written together. Of several records of one id it keeps the one that wins.
type Batch struct {
	conversations winners[string, *record.Conversation]
	messages      winners[string, *record.Message]
	kbFiles       winners[string, *record.KBFile]
	members       winners[memberKey, *record.Member]
}

// memberKey is a member's organisation and user or, in a batch of records from a log, the key of its row there: the row may move to
// another organisation or user.
type memberKey struct{ orgID, userID, sourceKey string }

func memberKeyOf(r *record.Member) memberKey {
	if r.SourceKey != "" {
		return memberKey{sourceKey: r.SourceKey}
	}
	return memberKey{orgID: r.OrgID, userID: r.UserID}
}

// NewBatch makes an empty batch, with room for so many messages before it must grow.
func NewBatch(messages int) *Batch {
	return &Batch{
		conversations: newWinners[string](0, conversationVersion, (*record.Conversation).After),
		messages:      newWinners[string](messages, messageVersion, (*record.Message).After),
		kbFiles:       newWinners[string](0, kbFileVersion, (*record.KBFile).After),
		members:       newWinners[memberKey](0, memberVersion, (*record.Member).After),
	}
}

// Add takes a record. Records must be added in the order in which they came: among equal versions the last one wins.
func (b *Batch) Add(r record.Record) {
	switch r := r.(type) {
	case *record.Conversation:
		b.conversations.put(r.ID, r)
	case *record.Message:
		b.messages.put(r.ID, r)
	case *record.KBFile:
		b.kbFiles.put(r.ID, r)
	case *record.Member:
		b.members.put(memberKeyOf(r), r)
	default:
		panic(fmt.Sprintf("replica: unknown record type %T", r))
	}
}

// Len is the number of records that won.
func (b *Batch) Len() int {
	return len(b.conversations.list) + len(b.messages.list) + len(b.kbFiles.list) + len(b.members.list)
}

// Messages is the number of those that are messages.
func (b *Batch) Messages() int { return len(b.messages.list) }

// winners holds the winning record of each key, in the order in which the keys appeared.
type winners[K comparable, R record.Record] struct {
	index   map[K]int
	list    []R
	version func(R) version
	after   func(r, before R) R
}

func newWinners[K comparable, R record.Record](room int, version func(R) version, after func(r, before R) R) winners[K, R] {
	return winners[K, R]{index: make(map[K]int, room), list: make([]R, 0, room), version: version, after: after}
}

func (w *winners[K, R]) put(key K, r R) {
	i, met := w.index[key]
	switch {
	case !met:
		w.index[key] = len(w.list)
		w.list = append(w.list, r)
	case w.version(r).before(w.version(w.list[i])):
	case record.FieldsKept(r) == record.KeptAll:
		w.list[i] = r // what is deleted in the end need not be known
	default:
		w.list[i] = w.after(r, w.list[i])
	}
}

// Changed counts the records of a batch that changed a replica; the others were older than what was there, or equal to
// it.
type Changed struct{ Conversations, Messages, KBFiles, Members int }
