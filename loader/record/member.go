package record

import "strings"

// member reads a member.
func (r *reader) member() *Member {
	m := &Member{
		OrgID:  r.identifier("organizationId", r.organizationID),
		UserID: r.identifier("userId", r.userID),
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
