package record

// Conversation belongs to a user of an organization, who holds it with an agent or with none.
type Conversation struct {
	Version
	ID, OrgID, UserID string
	AgentID           string // "" is no agent
	CreatedAt         int64
}

func (*Conversation) Kind() Kind           { return KindConversation }
func (c *Conversation) Key() string        { return c.ID }
func (c *Conversation) Identity() Identity { return Identity{c.ID} }
func (c *Conversation) Owner() string      { return c.OrgID }

// After returns the conversation as it is after the change c of the version before.
func (c *Conversation) After(before *Conversation) *Conversation { return after(c, before, nil) }

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
