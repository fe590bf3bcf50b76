package record

import "unsafe"

// Space is memory that messages are made in, many at a time: one by one they would keep the garbage collector busy. The
// memory is free again when none of them is used any more.
type Space struct {
	messages     []Message
	texts        []byte
	conversation string // that the last message was of
}

const (
	spaceMessages = 32 << 10 / int(unsafe.Sizeof(Message{})) // what the allocator gives at once
	spaceTexts    = 16 << 10                                 // bytes
)

// NewSpace makes space for so many messages; there is always more.
func NewSpace(messages int) *Space {
	n := min(messages, spaceMessages)
	return &Space{messages: make([]Message, n), texts: make([]byte, 0, n*(spaceTexts/spaceMessages))}
}

// message is a new message.
func (s *Space) message() *Message {
	if len(s.messages) == 0 {
		s.messages = make([]Message, spaceMessages)
	}
	m := &s.messages[0]
	s.messages = s.messages[1:]
	return m
}

// keepConversation moves the id of a message's conversation out of the line; messages of a conversation often come one
// after the other.
func (s *Space) keepConversation(id string) string {
	if id != s.conversation {
		s.conversation = s.keep(id)
	}
	return s.conversation
}

// keep moves a text out of the line.
func (s *Space) keep(text string) string {
	if text == "" {
		return ""
	}
	if cap(s.texts)-len(s.texts) < len(text) {
		s.texts = make([]byte, 0, max(spaceTexts, len(text)))
	}
	start := len(s.texts)
	s.texts = append(s.texts, text...)
	return unsafe.String(&s.texts[start], len(text)) // what was appended never changes
}
