package record

// conversation reads a conversation.
func (r *reader) conversation() *Conversation {
	c := &Conversation{
		ID:        r.identifier("id", r.id),
		OrgID:     r.identifier("organizationId", r.organizationID),
		UserID:    r.identifier("userId", r.userID),
		CreatedAt: r.time("createdAt", r.createdAt),
	}
	if !absent(r.agentID) {
		c.AgentID = r.identifier("agentId", r.agentID)
	}
	c.UpdatedAt = r.timeOr("updatedAt", r.updatedAt, c.CreatedAt)
	c.DeletedAt, c.Deleted = r.deletion()
	detach(&c.ID, &c.OrgID, &c.UserID, &c.AgentID)
	return c
}
