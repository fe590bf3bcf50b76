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

var roleNames = [...]string{system: "system", user: "user", assistant: "assistant", tool: "tool"}

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

// messages writes the next n messages of a conversation, fewer where the history ends.
func (g *generator) messages(c *conversation, n int) {
	for i := range n {
		r := g.nextRole(c)
		c.at += millis(pauses[r].draw(&g.source))
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
	g.add(`{"type":"message","id":"`, g.uuid(), `","conversationId":"`, c.id, `","role":"`, roleNames[r], `","createdAt":"`)
	if g.chance(microsShare) {
		g.add(micros(c.at)*1000 + micros(g.below(1000)))
	} else {
		g.add(c.at)
	}
	g.add(`"`)
	changed := millis(0)
	switch r {
	case assistant:
		g.usage(c)
		g.toolCalls(c)
		changed = g.feedback(c.at)
	case tool:
		g.toolResults(c)
	case user:
		if g.chance(userPartsShare) {
			g.add(`,"parts":[`, g.textPart(questions), `]`)
		}
	}
	g.lastChange(c.at, changed)
	g.end()
}

// lastChange ends a message that was deleted, or else changed at a time other than zero.
func (g *generator) lastChange(at, changed millis) {
	if g.chance(deletedMessages) {
		if deleted := max(at, changed) + millisPerSecond + millis(g.below(7*millisPerDay)); deleted < g.until {
			g.deletion(deleted)
			return
		}
	}
	if changed != 0 {
		g.add(`,"updatedAt":"`, changed, `"`)
	}
}
