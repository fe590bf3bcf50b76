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

type memberKey struct{ orgID, userID string }

// NewBatch makes an empty batch.
func NewBatch() *Batch {
	return &Batch{
		conversations: newWinners[string](func(r *record.Conversation) int64 { return r.UpdatedAt }),
		messages:      newWinners[string](func(r *record.Message) int64 { return r.UpdatedAt }),
		kbFiles:       newWinners[string](func(r *record.KBFile) int64 { return r.UpdatedAt }),
		members:       newWinners[memberKey](func(r *record.Member) int64 { return r.UpdatedAt }),
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
		b.members.put(memberKey{r.OrgID, r.UserID}, r)
	default:
		panic(fmt.Sprintf("replica: unknown record type %T", r))
	}
}

// Len is the number of records that won.
func (b *Batch) Len() int {
	return len(b.conversations.list) + len(b.messages.list) + len(b.kbFiles.list) + len(b.members.list)
}

// winners holds the winning record of each key, in the order in which the keys appeared.
type winners[K comparable, R any] struct {
	index   map[K]int
	list    []R
	version func(R) int64
}

func newWinners[K comparable, R any](version func(R) int64) winners[K, R] {
	return winners[K, R]{index: map[K]int{}, version: version}
}

func (w *winners[K, R]) put(key K, r R) {
	i, met := w.index[key]
	switch {
	case !met:
		w.index[key] = len(w.list)
		w.list = append(w.list, r)
	case w.version(r) >= w.version(w.list[i]):
		w.list[i] = r
	}
}

// Changed counts the records of a batch that changed a replica; the others were older than what was there, or equal to
// it.
type Changed struct{ Conversations, Messages, KBFiles, Members int }
