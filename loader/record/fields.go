package record

// Fields are fields of a record that its source did not send, because they did not change: the version before has them.
type Fields uint8

const (
	KeptParts Fields = 1 << iota
	KeptToolInvocations
	KeptUsage
	KeptFeedback
	KeptMetadata
	// KeptUnknown says that more is missing than the version before could give: the source must be asked for the row.
	KeptUnknown
)

// KeptAll is a deletion, of which the source tells nothing but the key.
const KeptAll Fields = 0xff

// FieldsKept tells what of the record was not sent.
func FieldsKept(r Record) Fields {
	switch r := r.(type) {
	case *Conversation:
		return r.Kept
	case *Message:
		return r.Kept
	case *KBFile:
		return r.Kept
	case *Member:
		return r.Kept
	}
	return 0
}

// After is the message as it is after the change m of the version before: what m does not bring stays.
func (m *Message) After(before *Message) *Message {
	after := *m
	switch {
	case m.Kept == 0:
		return m
	case m.Kept == KeptAll:
		after = *before
		after.Deleted, after.DeletedAt = deletedNow(m.DeletedAt, before.Deleted, before.DeletedAt)
		after.LogPosition = m.LogPosition
		return &after
	}
	if m.Kept&KeptParts != 0 {
		after.Tools.Parts = before.Tools.Parts
	}
	if m.Kept&KeptToolInvocations != 0 {
		after.Tools.Invocations = before.Tools.Invocations
	}
	after.ToolCalls = after.Tools.calls()
	if m.Kept&KeptUsage != 0 {
		after.InputTokens, after.OutputTokens, after.TotalTokens = before.InputTokens, before.OutputTokens, before.TotalTokens
	}
	if m.Kept&KeptFeedback != 0 {
		after.Helpful, after.NotHelpful = before.Helpful, before.NotHelpful
	}
	after.Kept = keptAfter(m.Kept, before.Kept)
	return &after
}

// After is the member as it is after the change m of the version before.
func (m *Member) After(before *Member) *Member {
	after := *m
	switch {
	case m.Kept == 0:
		return m
	case m.Kept == KeptAll:
		after = *before
		after.Deleted, after.DeletedAt = deletedNow(m.DeletedAt, before.Deleted, before.DeletedAt)
		after.LogPosition, after.SourceKey = m.LogPosition, m.SourceKey
		return &after
	}
	if m.Kept&KeptMetadata != 0 {
		after.Metadata, after.Paths, after.PairPaths, after.PairValues = before.Metadata, before.Paths, before.PairPaths, before.PairValues
	}
	after.Kept = keptAfter(m.Kept, before.Kept)
	return &after
}

// After is the conversation as it is after the change c of the version before.
func (c *Conversation) After(before *Conversation) *Conversation {
	if c.Kept != KeptAll {
		return c
	}
	after := *before
	after.Deleted, after.DeletedAt = deletedNow(c.DeletedAt, before.Deleted, before.DeletedAt)
	after.LogPosition = c.LogPosition
	return &after
}

// After is the file as it is after the change f of the version before.
func (f *KBFile) After(before *KBFile) *KBFile {
	if f.Kept != KeptAll {
		return f
	}
	after := *before
	after.Deleted, after.DeletedAt = deletedNow(f.DeletedAt, before.Deleted, before.DeletedAt)
	after.LogPosition = f.LogPosition
	return &after
}

// deletedNow is when a record was deleted: what was deleted before stays deleted since then.
func deletedNow(now int64, before bool, beforeAt int64) (deleted bool, at int64) {
	if before {
		return true, beforeAt
	}
	return true, now
}

// keptAfter is what is still missing when the version before misses something itself. What can't be told from it can't
// be told from what came before it, either.
func keptAfter(kept, before Fields) Fields {
	return kept&before | (kept|before)&KeptUnknown
}

func (t Tools) calls() uint32 {
	if t.Invocations >= 0 {
		return uint32(t.Invocations)
	}
	return uint32(max(t.Parts, 0))
}
