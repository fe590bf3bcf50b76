package replica

import (
	"fmt"
	"slices"

	"github.com/orgstats/orgstats/loader/record"
)

// Batch is a set of records that are written together. Of several records of one id it keeps the one that wins.
type Batch struct {
	conversations winners[string, *record.Conversation]
	messages      winners[string, *record.Message]
	kbFiles       winners[string, *record.KBFile]
	members       winners[memberKey, *record.Member]
}

// memberKey is a member's organization and user or, in a batch of records from a log, the key of its row there: the row
// may move to another organization or user.
type memberKey struct{ orgID, userID, sourceKey string }

func conversationID(r *record.Conversation) string { return r.ID }
func messageID(r *record.Message) string           { return r.ID }
func kbFileID(r *record.KBFile) string             { return r.ID }

func memberKeyOf(r *record.Member) memberKey {
	if r.SourceKey != "" {
		return memberKey{sourceKey: r.SourceKey}
	}
	return memberKey{orgID: r.OrgID, userID: r.UserID}
}

// NewBatch makes an empty batch, with room for so many messages before it must grow.
func NewBatch(messages int) *Batch {
	return &Batch{
		conversations: newWinners(0, hashOf, conversationID, conversationVersion, (*record.Conversation).After),
		messages:      newWinners(messages, hashOf, messageID, messageVersion, (*record.Message).After),
		kbFiles:       newWinners(0, hashOf, kbFileID, kbFileVersion, (*record.KBFile).After),
		members:       newWinners(0, seeded[memberKey](), memberKeyOf, memberVersion, (*record.Member).After),
	}
}

// Add takes a record. Records must be added in the order in which they came: among equal versions the last one wins.
func (b *Batch) Add(r record.Record) {
	switch r := r.(type) {
	case *record.Conversation:
		b.conversations.put(r)
	case *record.Message:
		b.messages.put(r)
	case *record.KBFile:
		b.kbFiles.put(r)
	case *record.Member:
		b.members.put(r)
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

// hasAny tells whether the batch has any of another's messages, whose places are given.
func (b *Batch) hasAny(other *Batch, places []int32) bool {
	return slices.ContainsFunc(places, func(i int32) bool { return b.messages.has(other.messages.list[i].ID) })
}

// Changed counts the records of a batch that changed a replica; the others were older than what was there, or equal to
// it.
type Changed struct{ Conversations, Messages, KBFiles, Members int }
