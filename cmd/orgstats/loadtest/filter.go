package loadtest

// filter is a way to narrow a question: by what it has set.
type filter struct {
	name                  string
	weight                int
	user, metadata, agent bool
}

// adminFilters and memberFilters are the filters that dashboards offer to admins and to members. The first of each
// fits every organization.
var (
	adminFilters = []filter{
		{name: "organization", weight: 50},
		{name: "agent", weight: 18, agent: true},
		{name: "user", weight: 12, user: true},
		{name: "metadata", weight: 14, metadata: true},
		{name: "metadata and agent", weight: 6, metadata: true, agent: true},
	}
	memberFilters = []filter{
		{name: "own", weight: 80},
		{name: "own and agent", weight: 20, agent: true},
	}
)

// fits reports whether an organization has what the filter narrows by.
func (f filter) fits(o *Organization) bool {
	return (!f.user || len(o.Users) > 0) && (!f.metadata || len(o.Metadata) > 0) && (!f.agent || len(o.Agents) > 0)
}

// apply draws what the filter narrows a request by.
func (f filter) apply(m *mix, r *request, org *Organization) {
	set := func(name, value string) string {
		if value != "" {
			r.query.Set(name, value)
		}
		return value
	}
	if f.user {
		r.question.UserID = set("userId", org.Users[m.draw(filterLaw, len(org.Users))])
	}
	if f.metadata {
		chosen := org.Metadata[m.draw(filterLaw, len(org.Metadata))]
		r.question.MetadataKey, r.question.MetadataValue = set("metadataKey", chosen.Key), set("metadataValue", chosen.Value)
	}
	if f.agent {
		r.question.AgentID = set("agentId", org.Agents[m.draw(filterLaw, len(org.Agents))])
	}
}
