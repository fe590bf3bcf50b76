package replica

import "github.com/orgstats/orgstats/schema/cells"

// maxTouched is how many keys of cells and activity are remembered exactly. Past that, what vanished is found by
// reading the tables, which is cheaper then.
const maxTouched = 200_000

// cellKey is a cell's agent and hour.
type cellKey struct {
	hour
	agentID string
}

// activityKey is a conversation of a user on a day, in days since 1970-01-01 UTC.
type activityKey struct {
	orgID                  string
	userNo, conversationNo uint32
	day                    int32
}

// touched remembers what batches changed since cells and activity were last computed.
type touched struct {
	gone     map[cellKey]struct{} // cells that lost a message and may have none left
	activity map[activityKey]bool // activity that gained or lost one; true: it may have none left
	exact    bool                 // false: there was more than is remembered
}

func newTouched() *touched {
	return &touched{gone: map[cellKey]struct{}{}, activity: map[activityKey]bool{}, exact: true}
}

// note takes in a change before it is written.
func (t *touched) note(c *change) {
	if len(c.rows) > maxTouched {
		*t = touched{}
	}
	if !t.exact {
		return
	}
	for i := range c.lost {
		m := &c.lost[i]
		t.gone[cellKey{hourOf(m.orgID, m.CreatedAt), m.agentID}] = struct{}{}
		t.activity[activityOf(m)] = true
	}
	var last activityKey // messages of a conversation often come one after the other
	for i := range c.rows {
		if m := &c.rows[i]; !m.hidden {
			if key := activityOf(m); key != last && !t.activity[key] {
				t.activity[key], last = false, key
			}
		}
	}
	if len(t.gone)+len(t.activity) > maxTouched {
		*t = touched{} // and what is touched from here on is not remembered, either
	}
}

// userMonthKey is a user's month.
type userMonthKey struct {
	bucket
	userNo uint32
}

// userMonths are the months of users whose activity was touched; true: they may have none left.
func (t *touched) userMonths() map[userMonthKey]bool {
	months := map[userMonthKey]bool{}
	for key, mayBeGone := range t.activity {
		month := userMonthKey{bucket{key.orgID, cells.Month.Start(int64(key.day) * cells.MsPerDay)}, key.userNo}
		months[month] = months[month] || mayBeGone
	}
	return months
}

func activityOf(m *message) activityKey {
	return activityKey{m.orgID, m.userNo, m.conversationNo, int32(cells.FloorDiv(m.CreatedAt, cells.MsPerDay))}
}

// touchedHours are the hours, and their organizations, whose figures a change touches.
func (c *change) touchedHours() (hours map[hour]struct{}, organizations map[string]struct{}) {
	hours, organizations = map[hour]struct{}{}, map[string]struct{}{}
	var last hour // messages of a conversation often come one after the other
	note := func(m *message) {
		if h := hourOf(m.orgID, m.CreatedAt); h != last {
			hours[h], last = struct{}{}, h
			organizations[h.orgID] = struct{}{}
		}
	}
	for i := range c.lost {
		note(&c.lost[i])
	}
	for i := range c.rows {
		if !c.rows[i].hidden {
			note(&c.rows[i])
		}
	}
	return hours, organizations
}
