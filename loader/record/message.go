package record

import "strings"

// Message stands in a conversation, which says whose it is. TotalTokens is what the platform gave, which need not
// be the sum of the other two.
type Message struct {
	Version
	ID, ConversationID, Role                          string
	CreatedAt                                         int64
	ToolCalls, InputTokens, OutputTokens, TotalTokens uint32
	Helpful, NotHelpful                               uint32 // pieces of feedback of each kind
	Tools                                             Tools
}

// Tools is what ToolCalls follows from, for messages from a log: a later version may bring only one of both.
type Tools struct {
	Invocations int32 // entries of toolInvocations; -1: it is no array
	Parts       int32 // parts that are tool calls; -1: parts is neither absent nor an array
}

func (t Tools) calls() uint32 {
	if t.Invocations >= 0 {
		return uint32(t.Invocations)
	}
	return uint32(max(t.Parts, 0))
}

func (*Message) Kind() Kind           { return KindMessage }
func (m *Message) Key() string        { return m.ID }
func (m *Message) Identity() Identity { return Identity{m.ID} }
func (m *Message) Owner() string      { return m.ConversationID }

// After returns the message as it is after the change m of the version before: what m does not bring stays.
func (m *Message) After(before *Message) *Message { return after(m, before, (*Message).fill) }

// fill copies what m does not bring from the version before.
func (m *Message) fill(before *Message) {
	if m.Unsent&FieldParts != 0 {
		m.Tools.Parts = before.Tools.Parts
	}
	if m.Unsent&FieldToolInvocations != 0 {
		m.Tools.Invocations = before.Tools.Invocations
	}
	m.ToolCalls = m.Tools.calls()
	if m.Unsent&FieldUsage != 0 {
		m.InputTokens, m.OutputTokens, m.TotalTokens = before.InputTokens, before.OutputTokens, before.TotalTokens
	}
	if m.Unsent&FieldFeedback != 0 {
		m.Helpful, m.NotHelpful = before.Helpful, before.NotHelpful
	}
}

func (r *reader) message() *Message {
	m := r.arena.message()
	*m = Message{
		ID:             r.identifier("id", r.id),
		ConversationID: r.identifier("conversationId", r.conversationID),
		Role:           r.messageRole(),
		CreatedAt:      r.time("createdAt", r.createdAt),
		ToolCalls:      r.toolCalls(),
	}
	m.UpdatedAt = r.timeOr("updatedAt", r.updatedAt, m.CreatedAt)
	m.DeletedAt, m.Deleted = r.deletion()
	m.InputTokens, m.OutputTokens, m.TotalTokens = r.tokens()
	m.Helpful, m.NotHelpful = r.feedbackGiven()
	if r.ofTable {
		m.Tools = r.tools
	}
	m.ID, m.ConversationID = r.arena.keep(m.ID), r.arena.keepConversation(m.ConversationID)
	return m
}

// usualRoles are those of nearly all messages; they are not allocated.
var usualRoles = [...]string{"user", "assistant", "tool", "system"}

func (r *reader) messageRole() string {
	const want = "a string of 1 to 64 bytes"
	role := r.text("role", r.role, want)
	for _, usual := range usualRoles {
		if role == usual {
			return usual
		}
	}
	if len(role) < 1 || len(role) > maxRoleLength {
		r.wrong("role", r.role, want)
	}
	return strings.Clone(role)
}

// toolCalls counts the entries of toolInvocations or, where that is no array, the parts that are tool calls.
func (r *reader) toolCalls() uint32 {
	r.tools.Invocations = arrayLength(r.toolInvocations)
	if r.tools.Invocations >= 0 && !r.ofTable {
		return uint32(r.tools.Invocations)
	}
	r.tools.Parts = toolParts(r.parts)
	if r.tools.Invocations < 0 && r.tools.Parts < 0 {
		r.wrong("parts", r.parts, "an array")
	}
	return r.tools.calls()
}

// arrayLength returns the number of elements of a JSON array, -1 for any other value.
func arrayLength(raw string) (n int32) {
	if !strings.HasPrefix(raw, "[") {
		return -1
	}
	eachElement(raw, func(string) { n++ })
	return n
}

// toolParts counts the parts that are tool calls, -1 where the parts are no array.
func toolParts(raw string) (n int32) {
	if absent(raw) {
		return 0
	}
	if raw[0] != '[' {
		return -1
	}
	eachElement(raw, func(part string) {
		if isToolCall(part) {
			n++
		}
	})
	return n
}

// isToolCall reports whether a part of a message is an object with the type of a tool call.
func isToolCall(part string) bool {
	if part[0] != '{' {
		return false
	}
	var kind string
	eachMember(part, func(key, value string) {
		if key == "type" {
			kind = unquote(value)
		}
	})
	return kind == "dynamic-tool" || strings.HasPrefix(kind, "tool-") && kind != "tool-result"
}

// tokens reads usage, whose counts have two names each.
func (r *reader) tokens() (input, output, total uint32) {
	if absent(r.usage) {
		return 0, 0, 0
	}
	if r.usage[0] != '{' {
		r.wrong("usage", r.usage, "an object")
		return 0, 0, 0
	}
	var in, prompt, out, completion, sum string
	eachMember(r.usage, func(key, value string) {
		switch key {
		case "inputTokens":
			in = value
		case "promptTokens":
			prompt = value
		case "outputTokens":
			out = value
		case "completionTokens":
			completion = value
		case "totalTokens":
			sum = value
		}
	})
	input = r.eitherCount("usage.inputTokens", in, "usage.promptTokens", prompt)
	output = r.eitherCount("usage.outputTokens", out, "usage.completionTokens", completion)
	return input, output, r.total("usage.totalTokens", sum, input, output)
}

// eitherCount reads the first count of two that is given.
func (r *reader) eitherCount(field, raw, otherField, otherRaw string) uint32 {
	if absent(raw) {
		return r.count(otherField, otherRaw)
	}
	return r.count(field, raw)
}

// feedbackGiven counts feedback of both kinds, one piece or an array of them.
func (r *reader) feedbackGiven() (helpful, notHelpful uint32) {
	const want = `"helpful", "not_helpful", null or an array of the first two`
	if absent(r.feedback) {
		return 0, 0
	}
	add := func(piece string) {
		switch unquote(piece) {
		case "helpful":
			helpful++
		case "not_helpful":
			notHelpful++
		default:
			r.wrong("feedback", r.feedback, want)
		}
	}
	if r.feedback[0] == '[' {
		eachElement(r.feedback, add)
	} else {
		add(r.feedback)
	}
	return helpful, notHelpful
}
