package sample

var (
	inputTokens  = newLogNormal(900, 0.8)
	outputTokens = newLogNormal(220, 0.9)
	feedbackWait = newLogNormal(40_000, 1.2)
)

const (
	usageShare    = 0.98
	feedbackShare = 0.04
	helpfulShare  = 0.72
	toolShare     = 0.18
	maxToolCalls  = 3
)

// usage writes the tokens of an assistant's message. Its input grows with the conversation, which is sent anew each
// time.
func (g *generator) usage(c *conversation) {
	if !g.chance(usageShare) {
		return
	}
	input := inputTokens.draw(&g.source) * int64(10+c.turns) / 10
	output := outputTokens.draw(&g.source)
	spelling := g.fraction()
	inputName, outputName := `,"usage":{"inputTokens":`, `,"outputTokens":`
	if spelling < 0.08 { // as older versions of the platform's SDK spelled them
		inputName, outputName = `,"usage":{"promptTokens":`, `,"completionTokens":`
	}
	g.add(inputName, input, outputName, output)
	if spelling < 0.85 {
		g.add(`,"totalTokens":`, input+output)
	}
	g.add(`}`)
}

// feedback writes what few users said about an assistant's message, and returns when, or zero.
func (g *generator) feedback(at millis) millis {
	if !g.chance(feedbackShare) {
		return 0
	}
	given := at + millis(feedbackWait.draw(&g.source))
	if given >= g.until {
		return 0
	}
	switch {
	case g.chance(0.03): // by two people
		g.add(`,"feedback":["helpful","not_helpful"]`)
	case g.chance(helpfulShare):
		g.add(`,"feedback":"helpful"`)
	default:
		g.add(`,"feedback":"not_helpful"`)
	}
	return given
}

var (
	toolNames = []string{"searchKnowledge", "createTicket", "sendEmail", "lookupOrder", "runQuery", "getWeather"}
	questions = []string{
		`How do I reset my password?`, `Wo finde ich die Rechnung für März?`, `Summarize the \"Q3\" report, please.`,
		`मेरा ऑर्डर कहाँ है?`, `The export failed again:\n\terror 42`, `Thanks! 🙏`,
	}
	answers = []string{
		`Let me look that up for you.`, `Here is what I found.`, `I have opened a ticket for you.`, `Einen Moment bitte …`,
	}
)

// toolCalls writes the calls of an assistant's message, if any, as an older toolInvocations array or as parts, and
// keeps their number for the results.
func (g *generator) toolCalls(c *conversation) {
	c.tools = 0
	if !g.chance(toolShare) {
		return
	}
	c.tools = 1 + g.below(maxToolCalls)
	if g.chance(0.5) {
		g.toolInvocations(c.tools)
		return
	}
	g.add(`,"parts":[`, g.textPart(answers))
	for range c.tools {
		g.add(`,`)
		g.toolPart()
	}
	g.add(`]`)
}

func (g *generator) toolInvocations(n int) {
	separator := `,"toolInvocations":[`
	for range n {
		g.add(separator, `{"state":"result","toolName":"`, g.toolName(), g.callID())
		separator = `,`
	}
	g.add(`]`)
}

// toolPart writes a part that counts as a call, in one of its three spellings.
func (g *generator) toolPart() {
	switch kind := g.fraction(); {
	case kind < 0.1:
		g.add(`{"type":"dynamic-tool","toolName":"`, g.toolName())
	case kind < 0.2:
		g.add(`{"type":"tool-invocation","state":"result`)
	default:
		g.add(`{"type":"tool-`, g.toolName())
	}
	g.add(g.callID())
}

// toolResults writes the results of the last calls, which are not calls.
func (g *generator) toolResults(c *conversation) {
	separator := `,"parts":[`
	for range c.tools {
		g.add(separator, `{"type":"tool-result`, g.callID())
		separator = `,`
	}
	g.add(`]`)
	c.tools = 0
}

// callID returns what closes the string before it, and the object with a call's id.
func (g *generator) callID() string { return `","toolCallId":"call_` + g.base62(10) + `"}` }

func (g *generator) textPart(texts []string) string {
	return `{"type":"text","text":"` + texts[g.below(len(texts))] + `"}`
}

func (g *generator) toolName() string { return toolNames[g.below(len(toolNames))] }
