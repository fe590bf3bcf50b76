package record

import "strings"

// Member is a user's membership of one organization, with the metadata kept there, as a whole and flattened:
// nested objects join their keys with dots, and what an array holds stands under the array's own path.
type Member struct {
	Version
	OrgID, UserID string
	// Metadata is compact JSON text of the publicMetadata object, keys sorted, each key once.
	Metadata string
	// Paths are the distinct paths of values that are not null, those of objects and arrays too, sorted.
	Paths []string
	// PairPaths and PairValues are, position by position, the distinct pairs of a path and a scalar's text there,
	// sorted.
	PairPaths, PairValues []string
	// SourceKey is the key of the membership in the table that it came from, "" for one from a file.
	SourceKey string
}

func (*Member) Kind() Kind           { return KindMember }
func (m *Member) Key() string        { return m.SourceKey }
func (m *Member) Identity() Identity { return Identity{m.OrgID, m.UserID} }
func (m *Member) Owner() string      { return m.OrgID }

// After returns the member as it is after the change m of the version before: what m does not bring stays.
func (m *Member) After(before *Member) *Member { return after(m, before, (*Member).fill) }

// fill copies what m does not bring from the version before.
func (m *Member) fill(before *Member) {
	if m.Unsent&FieldMetadata != 0 {
		m.Metadata, m.Paths = before.Metadata, before.Paths
		m.PairPaths, m.PairValues = before.PairPaths, before.PairValues
	}
}

func (r *reader) member() *Member {
	m := &Member{
		OrgID:  r.identifier("organizationId", r.organizationID),
		UserID: r.identifier("userId", r.userID),

		SourceKey: r.key,
	}
	if absent(r.updatedAt) && !absent(r.createdAt) {
		m.UpdatedAt = r.time("createdAt", r.createdAt)
	} else {
		m.UpdatedAt = r.time("updatedAt", r.updatedAt)
	}
	m.DeletedAt, m.Deleted = r.deletion()
	r.metadata(m)
	detach(&m.OrgID, &m.UserID)
	return m
}

// metadata reads publicMetadata. Only a deleted member may do without, as nothing matches it any more.
func (r *reader) metadata(m *Member) {
	const field, want = "publicMetadata", "an object"
	object := r.publicMetadata
	if object == "null" || object == "" && m.Deleted {
		object = "{}"
	}
	if !strings.HasPrefix(object, "{") {
		r.wrong(field, object, want)
	}
	if r.err != nil {
		return
	}
	if err := m.setMetadata(object); err != nil {
		r.fail(field, err.Error())
	}
}
