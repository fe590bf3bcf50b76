package record

import (
	"reflect"
	"testing"
)

const messageStart = `{"type":"message","id":"m","conversationId":"c","role":"user","createdAt":"2024-01-01T00:00:00Z"`

func TestParseMessage(t *testing.T) {
	tests := []struct {
		reason, fields string
		want           Message // beside what every message here has
	}{
		{"a message without anything has counts of 0", ``, Message{}},
		{"nulls are as good as nothing", `,"usage":null,"toolInvocations":null,"parts":null,"feedback":null,"deletedAt":null`, Message{}},
		{"each invocation is a tool call", `,"toolInvocations":[{"toolName":"t"},{}]`, Message{ToolCalls: 2}},
		{"an empty array of invocations says that there were none", `,"toolInvocations":[],"parts":[{"type":"tool-x"}]`, Message{}},
		{"invocations that are no array leave it to the parts", `,"toolInvocations":{"a":1},"parts":[{"type":"tool-x"}]`, Message{ToolCalls: 1}},
		{
			"parts of every kind of tool call count, others do not",
			`,"parts":[{"type":"tool-invocation"},{"type":"dynamic-tool"},{"type":"tool-search"},{"type":"tool-"},` +
				`{"type":"tool-result"},{"type":"text"},{"type":"tool"},{"type":"Tool-search"},{"type":null},{},null,"tool-x",["tool-x"]]`,
			Message{ToolCalls: 4},
		},
		{"the last type of a part counts", `,"parts":[{"type":"tool-x","type":"text"},{"type":"text","ty\u0070e":"tool\u002dx"}]`, Message{ToolCalls: 1}},
		{"a type that stops being a string stops counting", `,"parts":[{"type":"tool-x","type":1}]`, Message{}},
		{"tokens by their newer names", `,"usage":{"inputTokens":1,"outputTokens":2}`, Message{InputTokens: 1, OutputTokens: 2, TotalTokens: 3}},
		{"tokens by their older names", `,"usage":{"promptTokens":1,"completionTokens":2}`, Message{InputTokens: 1, OutputTokens: 2, TotalTokens: 3}},
		{"a null name leaves it to the other", `,"usage":{"inputTokens":null,"promptTokens":1}`, Message{InputTokens: 1, TotalTokens: 1}},
		{"the newer name goes first, even with 0", `,"usage":{"promptTokens":"x","inputTokens":0}`, Message{}},
		{"a given total stands, whatever the sum", `,"usage":{"inputTokens":5,"totalTokens":3}`, Message{InputTokens: 5, TotalTokens: 3}},
		{"a null total is the sum", `,"usage":{"inputTokens":5,"totalTokens":null}`, Message{InputTokens: 5, TotalTokens: 5}},
		{"a given total lets the parts be large", `,"usage":{"inputTokens":4294967295,"outputTokens":4294967295,"totalTokens":1}`, Message{InputTokens: 4294967295, OutputTokens: 4294967295, TotalTokens: 1}},
		{"the last of equal counts stands", `,"usage":{"inputTokens":-1,"inputTokens":2}`, Message{InputTokens: 2, TotalTokens: 2}},
		{"helpful", `,"feedback":"helpful"`, Message{Helpful: 1}},
		{"not helpful", `,"feedback":"not_helpful"`, Message{NotHelpful: 1}},
		{"several pieces of feedback", `,"feedback":["helpful","not_helpful","helpful"]`, Message{Helpful: 2, NotHelpful: 1}},
		{"an array of no feedback", `,"feedback":[]`, Message{}},
		{"a role that nobody foresaw", `,"role":"critic"`, Message{Role: "critic"}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			want := test.want
			want.ID, want.ConversationID, want.CreatedAt, want.UpdatedAt = "m", "c", newYear, newYear
			if want.Role == "" {
				want.Role = "user"
			}
			line := []byte(messageStart + test.fields + "}")
			got, err := Parse(line)
			clear(line)
			if err != nil || !reflect.DeepEqual(got, &want) {
				t.Errorf("got %+v, %v, want %+v", got, err, &want)
			}
		})
	}
}

func TestParseMessageRefuses(t *testing.T) {
	tests := []struct{ reason, fields, field string }{
		{"a conversation is needed", `,"conversationId":null`, "conversationId"},
		{"a role is needed", `,"role":null`, "role"},
		{"a role is not empty", `,"role":""`, "role"},
		{"a role has at most 64 bytes", `,"role":"12345678901234567890123456789012345678901234567890123456789012345"`, "role"},
		{"a role is a string", `,"role":1`, "role"},
		{"parts are an array", `,"parts":{}`, "parts"},
		{"parts are no string", `,"parts":"[]"`, "parts"},
		{"usage is an object", `,"usage":[]`, "usage"},
		{"usage is no number", `,"usage":0`, "usage"},
		{"the name that is used is the one at fault", `,"usage":{"completionTokens":-1}`, "usage.completionTokens"},
		{"a newer name that is wrong is not passed over", `,"usage":{"inputTokens":"1","promptTokens":1}`, "usage.inputTokens"},
		{"a total is a count", `,"usage":{"totalTokens":1.5}`, "usage.totalTokens"},
		{"a sum fits", `,"usage":{"inputTokens":4294967295,"outputTokens":1}`, "usage.totalTokens"},
		{"feedback is one of two words", `,"feedback":"meh"`, "feedback"},
		{"feedback is not empty", `,"feedback":""`, "feedback"},
		{"feedback is a word", `,"feedback":true`, "feedback"},
		{"feedback is no object", `,"feedback":{"a":"helpful"}`, "feedback"},
		{"an array holds feedback only", `,"feedback":["helpful",null]`, "feedback"},
		{"an array holds no arrays", `,"feedback":[["helpful"]]`, "feedback"},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			checkRefused(t, messageStart+test.fields+"}", Error{Type: "message", ID: "m", Field: test.field})
		})
	}
}

func TestCount(t *testing.T) {
	tests := []struct {
		reason, raw string
		want        uint32
		ok          bool
	}{
		{"an integer", "3", 3, true},
		{"the greatest count", "4294967295", 4294967295, true},
		{"a fraction of nothing", "3.0", 3, true},
		{"an exponent", "1e3", 1000, true},
		{"as many zeros as fit", "4e9", 4_000_000_000, true},
		{"an exponent with a sign, and a fraction that it makes whole", "1.25E+2", 125, true},
		{"a negative exponent that leaves a whole number", "3000e-3", 3, true},
		{"the greatest count, written at length", "0.4294967295000e10", 4294967295, true},
		{"minus zero is zero", "-0", 0, true},
		{"zero has any exponent", "0e99999999999999999999", 0, true},
		{"absent is none", "", 0, true},
		{"null is none", "null", 0, true},
		{"a negative number", "-3", 0, false},
		{"a negative number with a fraction", "-0.5", 0, false},
		{"a fraction", "1.5", 0, false},
		{"a fraction that doubles would round away", "3.00000000000000000000001", 0, false},
		{"one too many", "4294967296", 0, false},
		{"one too many, written at length", "42949672.96e2", 0, false},
		{"an exponent beyond all numbers", "1e99999999999999999999", 0, false},
		{"an exponent below all numbers", "1e-99999999999999999999", 0, false},
		{"digits beyond all numbers", "100000000000000000000000000001", 0, false},
		{"a string is no number", `"3"`, 0, false},
		{"true is no number", "true", 0, false},
		{"an array is no number", "[3]", 0, false},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			var r reader
			if got := r.count("n", test.raw); got != test.want || (r.err == nil) != test.ok {
				t.Errorf("count of %s: got %d, %v, want %d, valid %t", test.raw, got, r.err, test.want, test.ok)
			}
		})
	}
}
