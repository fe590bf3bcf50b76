package loadtest

// filter is a way to narrow a question.
type filter struct {
	name   string
	weight int
	needs  func(*Organization) bool // nil: nothing
	apply  func(*mix, *request, *Organization)
}

func (f filter) share() int { return f.weight }

// adminFilters and memberFilters are the filters that dashboards offer to admins and to members. The first of each
// needs nothing.
var (
	adminFilters = []filter{
		{"organization", 50, nil, none},
		{"agent", 18, hasAgents, byAgent},
		{"user", 12, hasUsers, byUser},
		{"metadata", 14, hasMetadata, byMetadata},
		{"metadata and agent", 6, hasMetadataAndAgents, byMetadataAndAgent},
	}
	memberFilters = []filter{
		{"own", 80, nil, none},
		{"own and agent", 20, hasAgents, byAgent},
	}
)

func hasAgents(o *Organization) bool            { return len(o.Agents) > 0 }
func hasUsers(o *Organization) bool             { return len(o.Users) > 0 }
func hasMetadata(o *Organization) bool          { return len(o.Metadata) > 0 }
func hasMetadataAndAgents(o *Organization) bool { return hasMetadata(o) && hasAgents(o) }

func none(*mix, *request, *Organization) {}

func byAgent(m *mix, r *request, org *Organization) {
	r.question.AgentID = org.Agents[m.draw(filterLaw, len(org.Agents))]
	r.query.Set("agentId", r.question.AgentID)
}

func byUser(m *mix, r *request, org *Organization) {
	r.question.UserID = org.Users[m.draw(filterLaw, len(org.Users))]
	r.query.Set("userId", r.question.UserID)
}

func byMetadata(m *mix, r *request, org *Organization) {
	chosen := org.Metadata[m.draw(filterLaw, len(org.Metadata))]
	r.question.MetadataKey, r.question.MetadataValue = chosen.Key, chosen.Value
	if chosen.Key != "" {
		r.query.Set("metadataKey", chosen.Key)
	}
	if chosen.Value != "" {
		r.query.Set("metadataValue", chosen.Value)
	}
}

func byMetadataAndAgent(m *mix, r *request, org *Organization) {
	byMetadata(m, r, org)
	byAgent(m, r, org)
}
