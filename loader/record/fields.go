package record

// Fields is a set of fields of a record.
type Fields uint8

// Fields that a source may leave out of a change.
const (
	FieldParts Fields = 1 << iota
	FieldToolInvocations
	FieldUsage
	FieldFeedback
	FieldMetadata
	// FieldOther stands for what the version before can't give: the source must be asked for the row.
	FieldOther
)

// After returns the message as it is after the change m of the version before: what m does not bring stays.
func (m *Message) After(before *Message) *Message {
	if !m.IsPartial() {
		return m
	}
	if m.Tombstone {
		after := *before
		after.Version = before.deleted(&m.Version)
		return &after
	}
	after := *m
	if m.Unsent&FieldParts != 0 {
		after.Tools.Parts = before.Tools.Parts
	}
	if m.Unsent&FieldToolInvocations != 0 {
		after.Tools.Invocations = before.Tools.Invocations
	}
	after.ToolCalls = after.Tools.calls()
	if m.Unsent&FieldUsage != 0 {
		after.InputTokens, after.OutputTokens, after.TotalTokens = before.InputTokens, before.OutputTokens, before.TotalTokens
	}
	if m.Unsent&FieldFeedback != 0 {
		after.Helpful, after.NotHelpful = before.Helpful, before.NotHelpful
	}
	after.Unsent = m.stillUnsent(&before.Version)
	return &after
}

// After returns the member as it is after the change m of the version before.
func (m *Member) After(before *Member) *Member {
	if !m.IsPartial() {
		return m
	}
	if m.Tombstone {
		after := *before
		after.Version = before.deleted(&m.Version)
		after.SourceKey = m.SourceKey
		return &after
	}
	after := *m
	if m.Unsent&FieldMetadata != 0 {
		after.Metadata, after.Paths = before.Metadata, before.Paths
		after.PairPaths, after.PairValues = before.PairPaths, before.PairValues
	}
	after.Unsent = m.stillUnsent(&before.Version)
	return &after
}

// After returns the conversation as it is after the change c of the version before.
func (c *Conversation) After(before *Conversation) *Conversation {
	if !c.Tombstone {
		return c
	}
	after := *before
	after.Version = before.deleted(&c.Version)
	return &after
}

// After returns the file as it is after the change f of the version before.
func (f *KBFile) After(before *KBFile) *KBFile {
	if !f.Tombstone {
		return f
	}
	after := *before
	after.Version = before.deleted(&f.Version)
	return &after
}

// stillUnsent returns what is missing of a change when the version before misses something itself. What can't be told
// from that version can't be told from what came before it, either.
func (v *Version) stillUnsent(before *Version) Fields {
	if before.Tombstone {
		return v.Unsent | FieldOther
	}
	return v.Unsent&before.Unsent | (v.Unsent|before.Unsent)&FieldOther
}

func (t Tools) calls() uint32 {
	if t.Invocations >= 0 {
		return uint32(t.Invocations)
	}
	return uint32(max(t.Parts, 0))
}
