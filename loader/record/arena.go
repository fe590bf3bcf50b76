package record

import "unsafe"

// Arena allocates messages and their texts many at a time: one by one they would keep the garbage collector busy. The
// memory is freed once none of them is referenced any more.
type Arena struct {
	messages     []Message
	texts        []byte
	conversation string // that the last message was of
}

const (
	arenaMessages = 32 << 10 / int(unsafe.Sizeof(Message{})) // what the allocator returns at once
	arenaTexts    = 16 << 10                                 // bytes
)

// NewArena returns an arena with room for so many messages; it grows as it must.
func NewArena(messages int) *Arena {
	n := min(messages, arenaMessages)
	return &Arena{messages: make([]Message, n), texts: make([]byte, 0, n*(arenaTexts/arenaMessages))}
}

// message returns a new message.
func (a *Arena) message() *Message {
	if len(a.messages) == 0 {
		a.messages = make([]Message, arenaMessages)
	}
	m := &a.messages[0]
	a.messages = a.messages[1:]
	return m
}

// keepConversation copies the id of a message's conversation out of the line; messages of a conversation often come one
// after the other.
func (a *Arena) keepConversation(id string) string {
	if id != a.conversation {
		a.conversation = a.keep(id)
	}
	return a.conversation
}

// keep copies a text out of the line.
func (a *Arena) keep(text string) string {
	if text == "" {
		return ""
	}
	if cap(a.texts)-len(a.texts) < len(text) {
		a.texts = make([]byte, 0, max(arenaTexts, len(text)))
	}
	start := len(a.texts)
	a.texts = append(a.texts, text...)
	return unsafe.String(&a.texts[start], len(text)) // what was appended never changes
}
