package sample

// role is who a message is from.
type role uint8

const (
	none role = iota
	system
	user
	assistant
	tool
)

// messageRoles are the pieces of JSON that name the roles and lead to the time.
var messageRoles = [...]string{
	system:    `","role":"system","createdAt":"`,
	user:      `","role":"user","createdAt":"`,
	assistant: `","role":"assistant","createdAt":"`,
	tool:      `","role":"tool","createdAt":"`,
}

const (
	systemShare     = 0.10
	toolResultShare = 0.35
	deletedMessages = 0.003
	microsShare     = 0.02
	userPartsShare  = 0.25
)

// pauses before a message of each role, in milliseconds.
var pauses = [...]*quantiles{
	system:    newLogNormal(50, 0.3),
	user:      newLogNormal(25_000, 1.1),
	assistant: newLogNormal(4_000, 0.8),
	tool:      newLogNormal(900, 1),
}

// messages writes the next n messages of a conversation, fewer where the
// history ends.
func (g *generator) messages(c *conversation, n int) {
	for i := range n {
		r := g.nextRole(c)
		c.at += pauses[r].draw(&g.source)
		if c.at >= g.until {
			c.org.messages.made -= n - i
			return
		}
		g.message(c, r)
		c.last = r
		c.turns++
		g.counts.Messages++
	}
}

func (g *generator) nextRole(c *conversation) role {
	switch {
	case c.last == none && g.chance(systemShare):
		return system
	case c.last == user || c.last == tool:
		return assistant
	case c.tools > 0 && g.chance(toolResultShare):
		return tool
	default:
		return user
	}
}

func (g *generator) message(c *conversation, r role) {
	id := g.uuid()
	g.text(`{"type":"message","id":"`)
	g.bytes(id[:])
	g.text(`","conversationId":"`)
	g.bytes(c.id[:])
	g.text(messageRoles[r])
	g.time(c.at)
	if g.chance(microsShare) {
		g.micros(g.below(1000))
	}
	g.text(`"`)
	changed := int64(0)
	switch r {
	case assistant:
		g.usage(c)
		g.toolCalls(c)
		changed = g.feedback(c.at)
	case tool:
		g.toolResults(c)
	case user:
		if g.chance(userPartsShare) {
			g.text(`,"parts":[`)
			g.textPart(questions)
			g.text(`]`)
		}
	}
	g.lastChange(c.at, changed)
	g.text("}\n")
}

// lastChange ends a message that was deleted, or else changed at a time other
// than zero.
func (g *generator) lastChange(at, changed int64) {
	if g.chance(deletedMessages) {
		if deleted := max(at, changed) + millisPerSecond + int64(g.below(7*millisPerDay)); deleted < g.until {
			g.deletion(deleted)
			return
		}
	}
	if changed != 0 {
		g.text(`,"updatedAt":"`)
		g.time(changed)
		g.text(`"`)
	}
}
