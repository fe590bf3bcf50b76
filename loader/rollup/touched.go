package rollup

import (
	"iter"
)

// Message is what the figures need of a message that counts.
type Message struct {
	OrgID, AgentID         string
	UserNo, ConversationNo uint32
	CreatedAt              int64
}

// Change is a change of messages.
type Change struct {
	Lost   iter.Seq[Message] // they counted so far, and are replaced or deleted
	Gained iter.Seq[Message] // they count from now on
	Rows   int               // at least as many as are gained
}

// maxTouched is how many keys of cells and activity are remembered exactly. Past that, what vanished is found by
// reading the tables, which is cheaper then.
const maxTouched = 200_000

// cellKey is a cell's agent and hour.
type cellKey struct {
	hour
	agentID string
}

// activityKey is a conversation of a user in an hour.
type activityKey struct {
	hour
	userNo, conversationNo uint32
}

func activityOf(m *Message) activityKey {
	return activityKey{hourOf(m.OrgID, m.CreatedAt), m.UserNo, m.ConversationNo}
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

// note remembers a change before it is written.
func (t *touched) note(c Change) {
	if c.Rows > maxTouched {
		*t = touched{}
	}
	if !t.exact {
		return
	}
	for m := range c.Lost {
		t.gone[cellKey{hourOf(m.OrgID, m.CreatedAt), m.AgentID}] = struct{}{}
		t.activity[activityOf(&m)] = true
	}
	var last activityKey // messages of a conversation often come one after the other
	for m := range c.Gained {
		if key := activityOf(&m); key != last && !t.activity[key] {
			t.activity[key], last = false, key
		}
	}
	if len(t.gone)+len(t.activity) > maxTouched {
		*t = touched{} // and what is touched from here on is not remembered, either
	}
}

// touchedHours returns the hours whose figures a change touches.
func (c Change) touchedHours() map[hour]struct{} {
	hours := map[hour]struct{}{}
	var last hour // messages of a conversation often come one after the other
	for _, messages := range []iter.Seq[Message]{c.Lost, c.Gained} {
		for m := range messages {
			if h := hourOf(m.OrgID, m.CreatedAt); h != last {
				hours[h], last = struct{}{}, h
			}
		}
	}
	return hours
}
