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
	// FieldOther stands for what the version before can't supply: the source must be asked for the row.
	FieldOther
)

// fieldsByName are those that the version before can supply, by their names in lines.
var fieldsByName = map[string]Fields{
	"parts": FieldParts, "toolInvocations": FieldToolInvocations, "usage": FieldUsage, "feedback": FieldFeedback,
	"publicMetadata": FieldMetadata,
}

// after returns the record as it is after the change r of the version before; fill, if there is one, copies what r does
// not bring.
func after[P interface {
	*R
	Record
}, R any](r, before P, fill func(after, before P)) P {
	change, old := r.version(), before.version()
	if !change.IsPartial() {
		return r
	}
	after := P(new(R))
	if change.Tombstone {
		*after = *before
		*after.version() = old.deleted(change)
		return after
	}
	*after = *r
	if fill != nil {
		fill(after, before)
	}
	after.version().Unsent = change.stillUnsent(old)
	return after
}

// stillUnsent returns what is missing of a change when the version before misses something itself. What does not follow
// from that version does not follow from what came before it, either.
func (v *Version) stillUnsent(before *Version) Fields {
	if before.Tombstone {
		return v.Unsent | FieldOther
	}
	return v.Unsent&before.Unsent | (v.Unsent|before.Unsent)&FieldOther
}
