package replica

import (
	"slices"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// Batch is a set of records that are written together. Of several records of one id it keeps the one that wins.
type Batch struct {
	conversations winners[string, *record.Conversation]
	messages      winners[string, *record.Message]
	kbFiles       winners[string, *record.KBFile]
	members       winners[memberKey, *record.Member]
	sets          [record.NumKinds]recordSet // by kind
}

// recordSet is the winners of one kind.
type recordSet interface {
	put(record.Record)
	has(key string) bool
	drop(keys []string)
	all(yield func(record.Record) bool)
	len() int
}

// memberKey is a member's organization and user or, in a batch of records from a log, the key of its row there: the row
// may move to another organization or user.
type memberKey struct{ orgID, userID, sourceKey string }

func memberKeyOf(r *record.Member) memberKey {
	if r.SourceKey != "" {
		return memberKey{sourceKey: r.SourceKey}
	}
	return memberKey{orgID: r.OrgID, userID: r.UserID}
}

// NewBatch returns an empty batch, with room for so many messages before it must grow.
func NewBatch(messages int) *Batch {
	itself := func(id string) string { return id }
	bySource := func(key string) memberKey { return memberKey{sourceKey: key} }
	b := &Batch{
		conversations: newWinners(0, index.Hash, (*record.Conversation).Key, itself, (*record.Conversation).After),
		messages:      newWinners(messages, index.Hash, (*record.Message).Key, itself, (*record.Message).After),
		kbFiles:       newWinners(0, index.Hash, (*record.KBFile).Key, itself, (*record.KBFile).After),
		members:       newWinners(0, nil, memberKeyOf, bySource, (*record.Member).After),
	}
	b.sets = [...]recordSet{
		record.KindConversation: &b.conversations,
		record.KindMessage:      &b.messages,
		record.KindKBFile:       &b.kbFiles,
		record.KindMember:       &b.members,
	}
	return b
}

// Add adds a record. Records must be added in the order in which they came: among equal versions the last one wins.
func (b *Batch) Add(r record.Record) { b.sets[r.Kind()].put(r) }

// Has reports whether the batch has a record of a kind and key, which is that of record.Record.Key.
func (b *Batch) Has(kind record.Kind, key string) bool { return b.sets[kind].has(key) }

// Len returns the number of records that won.
func (b *Batch) Len() int {
	n := 0
	for _, set := range b.sets {
		n += set.len()
	}
	return n
}

// Messages returns the number of those that are messages.
func (b *Batch) Messages() int { return len(b.messages.list) }

// hasAny reports whether the batch has any of another's messages, given by their index in it.
func (b *Batch) hasAny(other *Batch, indexes []int32) bool {
	return slices.ContainsFunc(indexes, func(i int32) bool { return b.messages.has(other.messages.list[i].ID) })
}

// Changed counts, by kind, the records of a batch that changed a replica; the others were older than what was there, or
// equal to it.
type Changed [record.NumKinds]int
