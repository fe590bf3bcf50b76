package replica

import (
	"slices"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
)

// Batch is a set of records that are written together. Of several records of one id it keeps the one that wins.
type Batch struct {
	sets [record.NumKinds]recordSet // by kind
}

// recordSet is the winners of one kind.
type recordSet interface {
	put(record.Record)
	has(key string) bool
	drop(gone func(key string) bool)
	all(yield func(record.Record) bool)
	len() int
}

// NewBatch returns an empty batch, with room for so many messages before it must grow.
func NewBatch(messages int) *Batch {
	itself := func(id string) string { return id }
	return &Batch{[...]recordSet{
		record.KindConversation: newWinners(0, index.Hash, (*record.Conversation).Key, itself, (*record.Conversation).After),
		record.KindMessage:      newWinners(messages, index.Hash, (*record.Message).Key, itself, (*record.Message).After),
		record.KindKBFile:       newWinners(0, index.Hash, (*record.KBFile).Key, itself, (*record.KBFile).After),
		record.KindMember:       newWinners(0, nil, memberKey, sourceKey, (*record.Member).After),
	}}
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
func (b *Batch) Messages() int { return b.messages().len() }

// hasAny reports whether the batch has any of another's messages, given by their index in it.
func (b *Batch) hasAny(other *Batch, indexes []int32) bool {
	mine, others := b.messages(), other.messages().list
	return slices.ContainsFunc(indexes, func(i int32) bool { return mine.has(others[i].ID) })
}

// Changed counts, by kind, the records of a batch that changed a replica; the others were older than what was there, or
// equal to it.
type Changed [record.NumKinds]int
