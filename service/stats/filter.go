package stats

// Filter limits the messages that count. A field that is "" is not applied. Every field is one of Filters.
type Filter struct {
	AgentID string
	UserID  string

	// MetadataKey and MetadataValue, either or both, match the metadata of the conversation's user in the organization.
	MetadataKey, MetadataValue string
}

// FilterParam is a filter that callers may set.
type FilterParam struct {
	Name  string // of the parameter in a request
	Field func(*Filter) *string

	// condition returns the condition on messages, or "" where another parameter's covers it.
	condition func(b *builder) string
}

// Filters are all filters. Whatever handles filters one by one goes by this list: the parameters of requests, the
// conditions on messages, the size of what is kept. The buckets of a filter are read from user activity
// (plan.bucketsStatement), unless it is none or an agent, so that a new one needs a condition there, too.
var Filters = []FilterParam{
	{"agentId", func(f *Filter) *string { return &f.AgentID }, (*builder).agent},
	{"userId", func(f *Filter) *string { return &f.UserID }, (*builder).user},
	{"metadataKey", func(f *Filter) *string { return &f.MetadataKey }, (*builder).userMetadata},
	{"metadataValue", func(f *Filter) *string { return &f.MetadataValue }, func(*builder) string { return "" }},
}

// textSize returns how many bytes of text the filters hold.
func (f Filter) textSize() (n int) {
	for _, p := range Filters {
		n += len(*p.Field(&f))
	}
	return n
}

// byMetadata reports whether the question is about the users whose metadata match.
func (f Filter) byMetadata() bool { return f.MetadataKey != "" || f.MetadataValue != "" }

// hasCells reports whether there are cells of the messages that the filter lets through: of all, or of one agent.
func (f Filter) hasCells() bool { return f == Filter{AgentID: f.AgentID} }

// kind returns by what the filter limits, a word from a fixed set.
func (f Filter) kind() string {
	switch f {
	case Filter{}:
		return FilterNone
	case Filter{AgentID: f.AgentID}:
		return FilterAgent
	case Filter{UserID: f.UserID}:
		return FilterUser
	case Filter{MetadataKey: f.MetadataKey, MetadataValue: f.MetadataValue}:
		return FilterMetadata
	}
	return FilterSeveral
}

// The kinds of filters.
const (
	FilterNone     = "none"
	FilterAgent    = "agent"
	FilterUser     = "user"
	FilterMetadata = "metadata"
	FilterSeveral  = "several"
)

// FilterKinds are all kinds of filters.
var FilterKinds = []string{FilterNone, FilterAgent, FilterUser, FilterMetadata, FilterSeveral}
