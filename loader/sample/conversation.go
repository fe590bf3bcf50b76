package sample

import "math"

const (
	shortestConversation = 2
	longestConversation  = 40
	// meanLength is the mean of lengths.
	meanLength = 10

	resumeShare     = 0.08
	deletedShare    = 0.006
	agentlessShare  = 0.03
	resumeDays      = 6
	resumeHourShift = 3
	resumeHours     = resumeDays*24 + resumeHourShift + 1
)

// lengths of conversations in messages: geometric, cut off at both ends.
var lengths = newQuantiles(func(p float64) float64 {
	return min(longestConversation, shortestConversation-8.7*math.Log(1-p))
})

// conversation is one whose messages are being made.
type conversation struct {
	id    string
	org   *organization
	at    millis // of the last message
	turns int    // messages made
	left  int    // messages still to make when it is resumed
	last  role
	tools int // calls whose results the next message may bring
}

// conversation writes a conversation that begins at a time in an hour, and its messages, except those of a later day.
func (g *generator) conversation(org *organization, at millis, hour int) {
	c := conversation{id: g.uuid(), org: org, at: at}
	g.counts.Conversations++
	g.add(`{"type":"conversation","id":"`, c.id, `","organizationId":"`, org.id,
		`","userId":"`, org.users[g.userRanks.draw(&g.source, len(org.users))],
		`","agentId":`, g.agentOf(org), `,"createdAt":"`, at, `"`)
	resumedAt, resumes := g.resumption(hour)
	g.deleteConversation(at, resumes)
	g.end()

	length := int(lengths.draw(&g.source))
	if resumes && length > shortestConversation {
		c.left = 1 + g.below(length-shortestConversation)
	}
	org.messages.made += length
	g.messages(&c, length-c.left)
	if c.left > 0 {
		slot := &g.resumed[resumedAt%resumeHours]
		*slot = append(*slot, c)
	}
}

func (g *generator) agentOf(org *organization) string {
	if g.chance(agentlessShare) {
		return "null"
	}
	return org.agents[g.agentRanks.draw(&g.source, len(org.agents))]
}

// resumption says in which hour, at about the same time of a later day, a conversation of this hour goes on, if it does
// and the history is long enough.
func (g *generator) resumption(hour int) (at int, ok bool) {
	if !g.chance(resumeShare) {
		return 0, false
	}
	at = hour + 24*(1+g.below(resumeDays)) + g.below(2*resumeHourShift+1) - resumeHourShift
	return at, at < g.hours
}

// deleteConversation deletes few, and none that is to be resumed.
func (g *generator) deleteConversation(at millis, resumes bool) {
	if resumes || !g.chance(deletedShare) {
		return
	}
	if deleted := at + millisPerHour + millis(g.below(30*millisPerDay)); deleted < g.until {
		g.deletion(deleted)
	}
}
