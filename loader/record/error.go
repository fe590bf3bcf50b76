package record

import "unicode/utf8"

// Error says what is wrong with a line, the first thing found.
type Error struct {
	Type   string // type of the record, "" where the line does not say
	ID     string // the record's id, a member's userId, "" where it can't be read
	Field  string // path of the field that is wrong, "" where the line as a whole is
	Reason string // what is wrong and what is wanted
}

// Error reads like `message 42: usage.inputTokens: is -3, want a count of at least 0`.
func (e *Error) Error() string {
	text := e.Type
	if e.ID != "" {
		text += " " + e.ID
	}
	for _, part := range []string{e.Field, e.Reason} {
		if text != "" && part != "" {
			text += ": "
		}
		text += part
	}
	return text
}

// excerpt returns JSON text short enough for an error's sentence.
func excerpt(raw string) string {
	const most = 80
	if len(raw) <= most {
		return raw
	}
	end := most
	for !utf8.RuneStart(raw[end]) {
		end--
	}
	return raw[:end] + "…"
}
