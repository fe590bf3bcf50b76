package e2e

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// asking is a question to any endpoint, as the oracle understands it.
type asking struct {
	asked
	clocks            clocks
	interval, groupBy string // "" is none
	orderBy, order    string
	limit             int
	window, before    window
	compares          bool
	// buckets are the intervals of the window and of the one before, whole.
	buckets, bucketsBefore []window
}

func understand(a asked) asking {
	q := asking{
		asked: a, clocks: clocksOf(cmp.Or(a.query.Get("timeZone"), "UTC")), interval: a.query.Get("interval"), groupBy: a.query.Get("groupBy"),
		order: cmp.Or(a.query.Get("order"), "desc"), limit: 100, window: windowOf(a.query), compares: a.query.Get("compare") == "previous",
	}
	q.orderBy = cmp.Or(a.query.Get("orderBy"), map[bool]string{true: "kbFileCount", false: "messageCount"}[q.groupBy == "knowledgeBase"])
	if limit, err := strconv.Atoi(a.query.Get("limit")); err == nil {
		q.limit = limit
	}
	if q.compares {
		q.before = q.clocks.before(q.window)
	}
	if q.interval != "" {
		q.buckets, q.bucketsBefore = q.clocks.intervals(q.interval, q.window), q.clocks.intervals(q.interval, q.before)
	}
	return q
}

// filters returns the parameters by which conversations are chosen: the path that is grouped by is none.
func (q asking) filters() url.Values {
	filters := url.Values{}
	for _, name := range []string{"allInOrg", "userId", "agentId", "metadataKey", "metadataValue"} {
		if name != "metadataKey" || q.groupBy != "metadata" {
			filters.Set(name, q.query.Get(name))
		}
	}
	return filters
}

// windowOf returns the requested window, within the years that records have.
func windowOf(query url.Values) window {
	from, err := time.Parse(time.RFC3339Nano, query.Get("from"))
	to, toErr := time.Parse(time.RFC3339Nano, query.Get("to"))
	if err != nil || toErr != nil {
		panic("the generator asks for a window that is none")
	}
	first, last := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
	return window{
		max(roundUp(from, time.Millisecond).UnixMilli(), first.UnixMilli()),
		min(to.Truncate(time.Millisecond).UnixMilli()+1, last.UnixMilli()),
	}
}

// result is an answer of any endpoint.
type result struct {
	rows  []row
	other *row
	total row
}

// row has the figures of a group, or of several.
type row struct {
	value          *string // nil for the group of what has none
	groups         int
	window, before period
}

// period has the figures of a window and of its intervals.
type period struct {
	figures figures
	buckets []figures
}

// result computes the answer to a caller who may ask the question.
func (o *oracle) result(q asking) (r result) {
	all := o.counted(q.caller, q.filters())
	r.total = q.row(all)
	if q.groupBy == "" {
		return r
	}
	var rest []counted
	groups := o.group(q, all)
	for _, g := range groups {
		if !q.window.holdsAny(g.records) {
			if q.before.holdsAny(g.records) {
				rest = append(rest, g.records...)
			}
			continue
		}
		r.total.groups++
		one := q.row(g.records)
		one.value, one.groups = g.value, 1
		r.rows = append(r.rows, one)
	}
	slices.SortFunc(r.rows, q.compare)
	if shown := min(q.limit, len(r.rows)); shown < len(r.rows) {
		for _, hidden := range r.rows[shown:] {
			rest = append(rest, groups[keyOf(hidden.value)].records...)
		}
		r.rows = r.rows[:shown]
	}
	if len(rest) > 0 {
		other := q.row(rest)
		other.groups = r.total.groups - len(r.rows)
		r.other = &other
	}
	return r
}

func (w window) holdsAny(records []counted) bool {
	return slices.ContainsFunc(records, func(c counted) bool { return w.holds(c.at) })
}

// row computes the figures of some records, of which each counts once.
func (q asking) row(records []counted) row {
	return row{window: periodOf(records, q.window, q.buckets), before: periodOf(records, q.before, q.bucketsBefore)}
}

func periodOf(records []counted, w window, buckets []window) period {
	p := period{figures: sumUp(records, w)}
	for _, b := range buckets {
		p.buckets = append(p.buckets, sumUp(records, window{max(b.from, w.from), min(b.until, w.until)}))
	}
	return p
}

// compare sorts rows by their figure, then by their value, the one without any last.
func (q asking) compare(a, b row) int {
	order := cmp.Compare(a.window.figures[q.orderBy], b.window.figures[q.orderBy])
	if q.order == "desc" {
		order = -order
	}
	return cmp.Or(order, cmp.Compare(keyOf(a.value), keyOf(b.value)))
}

// group is what belongs to a value.
type group struct {
	value   *string
	records []counted
}

// keyOf returns a text that tells values apart and is sorted like them: the group without a value is the last.
func keyOf(value *string) string {
	if value == nil {
		return "1"
	}
	return "0" + *value
}

// group returns the groups of records by their key.
func (o *oracle) group(q asking, all []counted) map[string]group {
	groups := map[string]group{}
	for _, c := range all {
		for _, value := range o.valuesOf(q, c) {
			groups[keyOf(value)] = group{value, append(groups[keyOf(value)].records, c)}
		}
	}
	return groups
}

// valuesOf returns the groups of a record: files are in none but their knowledge base's, and messages in no such one.
func (o *oracle) valuesOf(q asking, c counted) []*string {
	if isFile := c.conversation == nil; isFile != (q.groupBy == "knowledgeBase") {
		return nil
	}
	var value string
	switch q.groupBy {
	case "knowledgeBase":
		value = c.record.text("knowledgeBaseId")
	case "role":
		value = c.record.text("role")
	case "user":
		value = c.conversation.text("userId")
	case "agent":
		if c.conversation["agentId"] == nil {
			return []*string{nil}
		}
		value = c.conversation.text("agentId")
	case "metadata":
		return o.metadataOf(c.conversation, q.query.Get("metadataKey"))
	}
	return []*string{&value}
}

// metadataOf returns the values that the metadata of a conversation's user have at a path, each once.
func (o *oracle) metadataOf(conversation object, path string) (values []*string) {
	member := o.records[recordKey{"member", conversation.text("organizationId"), conversation.text("userId")}]
	metadata, _ := member["publicMetadata"].(map[string]any)
	found := map[string]bool{}
	if member["deletedAt"] == nil {
		collectObject(metadata, "", path, found)
	}
	for value := range found {
		values = append(values, &value)
	}
	if len(values) == 0 {
		return []*string{nil}
	}
	return values
}

func collectObject(object map[string]any, prefix, wanted string, found map[string]bool) {
	for name, v := range object {
		collect(v, prefix+name, wanted, found)
	}
}

// collect collects the texts of the values at a path, where an array's elements are at the path of the array.
func collect(v any, path, wanted string, found map[string]bool) {
	if text, scalar := scalarText(v); scalar {
		if path == wanted {
			found[text] = true
		}
		return
	}
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			collect(element, path, wanted, found)
		}
	case map[string]any:
		collectObject(v, path+".", wanted, found)
	}
}
