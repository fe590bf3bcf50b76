package record

import (
	"strings"
)

// message reads a message.
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
	m.ID, m.ConversationID = r.arena.keep(m.ID), r.arena.keepConversation(m.ConversationID)
	return m
}

// messageRole reads role. The usual ones, which nearly all messages have, are not allocated.
func (r *reader) messageRole() string {
	const want = "a string of 1 to 64 bytes"
	role := r.text("role", r.role, want)
	switch role {
	case "user":
		return "user"
	case "assistant":
		return "assistant"
	case "tool":
		return "tool"
	case "system":
		return "system"
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
