package record

import (
	"errors"
	"testing"
)

// readRow reads a message from some fields; of those in kept the source sent nothing.
func readRow(t *testing.T, fields map[string]string, kept ...string) *Message {
	t.Helper()
	row := NewRow(KindMessage, 9, "m")
	for name, raw := range map[string]string{"id": `"m"`, "conversationId": `"c"`, "role": `"user"`, "createdAt": `"2026-01-01T00:00:00Z"`} {
		row.Set(name, raw)
	}
	for name, raw := range fields {
		row.Set(name, raw)
	}
	for _, name := range kept {
		row.Unsent(name)
	}
	rec, err := row.Record()
	if err != nil {
		t.Fatal(err)
	}
	return rec.(*Message)
}

func TestWhatWasNotSentStays(t *testing.T) {
	whole := map[string]string{
		"parts": `[{"type":"tool-a"},{"type":"tool-b"}]`, "toolInvocations": `[1,2,3]`, "usage": `{"inputTokens":5}`, "feedback": `"helpful"`,
	}
	for _, row := range []struct {
		why           string
		fields        map[string]string
		kept          []string
		calls, tokens uint32
		helpful       uint32
		missing       Fields
	}{
		{"everything was sent", map[string]string{"usage": `{"inputTokens":1}`}, nil, 0, 1, 0, 0},
		{"large values stay", nil, []string{"parts", "toolInvocations", "usage", "feedback"}, 3, 5, 1, 0},
		{"invocations are taken back: the parts count", map[string]string{"toolInvocations": "null"}, []string{"parts"}, 2, 0, 0, 0},
		{"the parts change, and invocations count", map[string]string{"parts": "[]"}, []string{"toolInvocations"}, 3, 0, 0, 0},
		{"nothing can stand for a role", nil, []string{"role"}, 0, 0, 0, FieldOther},
	} {
		got := readRow(t, row.fields, row.kept...).After(readRow(t, whole))
		if got.Unsent != row.missing {
			t.Errorf("%s: %b is missing, want %b", row.why, got.Unsent, row.missing)
		}
		if got.ToolCalls != row.calls || got.InputTokens != row.tokens || got.TotalTokens != row.tokens || got.Helpful != row.helpful {
			t.Errorf("%s: %+v", row.why, got)
		}
	}
}

// Two changes of which parts were not sent are one of which less was sent.
func TestChangesAddUp(t *testing.T) {
	first := readRow(t, map[string]string{"feedback": `"helpful"`}, "parts", "usage")
	second := readRow(t, map[string]string{"usage": `{"inputTokens":7}`}, "parts", "feedback")
	both := second.After(first)
	if both.Unsent != FieldParts || both.InputTokens != 7 || both.Helpful != 1 {
		t.Errorf("both together: %+v", both)
	}
	unknown := readRow(t, nil, "role")
	if after := second.After(unknown); after.Unsent&FieldOther == 0 {
		t.Errorf("after a change that nobody knows all of: %b is missing", after.Unsent)
	}
	if whole := readRow(t, nil).After(unknown); whole.Unsent != 0 {
		t.Errorf("a whole row after that: %b is missing", whole.Unsent)
	}
}

func TestDeletionsKeepEverything(t *testing.T) {
	before := readRow(t, map[string]string{"feedback": `"helpful"`})
	deletion := NewTombstone(KindMessage, "m", 10, 77).(*Message)
	after := deletion.After(before)
	if !after.Deleted || after.DeletedAt != 77 || after.LSN != 10 || after.Helpful != 1 || after.ConversationID != "c" || after.Unsent != 0 {
		t.Errorf("%+v", after)
	}
	if again := NewTombstone(KindMessage, "m", 11, 99).(*Message).After(after); again.DeletedAt != 77 {
		t.Errorf("what is deleted again was deleted at %d", again.DeletedAt)
	}
}

func TestRowsFollowTheRulesOfLines(t *testing.T) {
	for _, row := range []struct {
		why, field, raw string
	}{
		{"negative tokens", "usage", `{"inputTokens":-1}`},
		{"parts that are no array, where they count", "parts", `{}`},
		{"no id", "id", `""`},
		{"text that is none", "role", "\"\xff\""},
		{"a time that is none", "createdAt", `"infinity"`},
	} {
		r := NewRow(KindMessage, 1, "m")
		for name, raw := range map[string]string{"id": `"m"`, "conversationId": `"c"`, "role": `"user"`, "createdAt": `"2026-01-01T00:00:00Z"`} {
			r.Set(name, raw)
		}
		r.Set(row.field, row.raw)
		_, err := r.Record()
		if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Type != "message" || wrong.Reason == "" {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}
