package record

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const newYear = 1_704_067_200_000 // 2024-01-01T00:00:00Z

func TestParse(t *testing.T) {
	tests := []struct {
		reason, line string
		want         Record
	}{
		{
			"a conversation as the platform gives it",
			`{"type":"conversation","id":"c1","organizationId":"org_1","userId":"user_1","agentId":"a1",` +
				`"createdAt":"2024-01-01T00:00:00Z","updatedAt":"2024-01-01T00:00:00.001Z"}`,
			&Conversation{Version: Version{UpdatedAt: newYear + 1}, ID: "c1", OrgID: "org_1", UserID: "user_1", AgentID: "a1", CreatedAt: newYear},
		},
		{
			"a null agent is none, a null deletedAt no deletion, and without updatedAt createdAt is the version",
			`{"type":"conversation","id":"c1","organizationId":"o","userId":"u","agentId":null,"deletedAt":null,` +
				`"createdAt":"2024-01-01T00:00:00Z","updatedAt":null}`,
			&Conversation{Version: Version{UpdatedAt: newYear}, ID: "c1", OrgID: "o", UserID: "u", CreatedAt: newYear},
		},
		{
			"integers are ids by their digits, however many those are",
			`{"type":"conversation","id":12345678901234567890,"organizationId":0,"userId":-7,"agentId":3,"createdAt":"2024-01-01T00:00:00Z"}`,
			&Conversation{Version: Version{UpdatedAt: newYear}, ID: "12345678901234567890", OrgID: "0", UserID: "-7", AgentID: "3", CreatedAt: newYear},
		},
		{
			"escapes in keys and values are resolved, surrogate pairs too, and an id may take 128 bytes",
			`{"ty\u0070e":"conversation","id":"\ud83d\ude00\n\/","organizationId":"` + strings.Repeat("o", 128) + `","userId":"ü",` +
				`"createdAt":"2024-01-01T00:00:00\u005a"}`,
			&Conversation{Version: Version{UpdatedAt: newYear}, ID: "😀\n/", OrgID: strings.Repeat("o", 128), UserID: "ü", CreatedAt: newYear},
		},
		{
			"white space around the record, and a file's carriage returns, do no harm",
			" \t{ \"type\" : \"conversation\" , \"id\":\"c\", \"organizationId\":\"o\",\"userId\":\"u\",\"createdAt\":\"2024-01-01T00:00:00Z\" } \r",
			&Conversation{Version: Version{UpdatedAt: newYear}, ID: "c", OrgID: "o", UserID: "u", CreatedAt: newYear},
		},
		{
			"the last of equal keys counts, and unknown fields do not",
			`{"type":"planet","id":{},"type":"conversation","id":"c","organizationId":"o","userId":"u","createdAt":"2024-01-01T00:00:00Z","title":[1]}`,
			&Conversation{Version: Version{UpdatedAt: newYear}, ID: "c", OrgID: "o", UserID: "u", CreatedAt: newYear},
		},
		{
			"a file without processedAt was processed when it was created, without a total took the sum",
			`{"type":"kbFile","id":1,"organizationId":"o","knowledgeBaseId":2,"createdAt":"2024-01-01T00:00:00Z","extractInputTokens":3,"extractOutputTokens":4}`,
			&KBFile{
				Version: Version{UpdatedAt: newYear},
				ID:      "1", OrgID: "o", KnowledgeBaseID: "2", CreatedAt: newYear, ProcessedAt: newYear,
				InputTokens: 3, OutputTokens: 4, TotalTokens: 7,
			},
		},
		{
			"a file with everything, deleted",
			`{"type":"kbFile","id":"f","organizationId":"o","knowledgeBaseId":"k","processingStatus":"completed","createdAt":"2024-01-01T00:00:00Z",` +
				`"processedAt":"2024-01-01T00:00:01Z","updatedAt":"2024-01-01T00:00:02Z","deletedAt":"2024-01-01T00:00:03Z","extractTotalTokens":9}`,
			&KBFile{
				Version: Version{UpdatedAt: newYear + 2000, DeletedAt: newYear + 3000, Deleted: true},
				ID:      "f", OrgID: "o", KnowledgeBaseID: "k", Status: "completed", CreatedAt: newYear, ProcessedAt: newYear + 1000, TotalTokens: 9,
			},
		},
		{
			"a member's metadata is flattened",
			`{"type":"member","organizationId":"o","userId":"u","publicMetadata":{"team":["red"]},"updatedAt":"2024-01-01T00:00:00Z"}`,
			&Member{
				Version: Version{UpdatedAt: newYear},
				OrgID:   "o", UserID: "u", Metadata: `{"team":["red"]}`, Paths: []string{"team"},
				PairPaths: []string{"team"}, PairValues: []string{"red"},
			},
		},
		{
			"a member's null metadata is an empty object, and createdAt will do for a version",
			`{"type":"member","organizationId":"o","userId":"u","publicMetadata":null,"createdAt":"2024-01-01T00:00:00Z"}`,
			&Member{Version: Version{UpdatedAt: newYear}, OrgID: "o", UserID: "u", Metadata: `{}`},
		},
		{
			"a deleted member needs no metadata",
			`{"type":"member","organizationId":"o","userId":"u","updatedAt":"2024-01-01T00:00:00Z","deletedAt":"1970-01-01T00:00:00Z"}`,
			&Member{Version: Version{UpdatedAt: newYear, Deleted: true}, OrgID: "o", UserID: "u", Metadata: `{}`},
		},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			line := []byte(test.line)
			got, err := Parse(line)
			clear(line) // a record that still lies in the line would change with it
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const conversation = `{"type":"conversation","id":"c","organizationId":"o","userId":"u","createdAt":"2024-01-01T00:00:00Z",`
	const file = `{"type":"kbFile","id":"f","organizationId":"o","knowledgeBaseId":"k","createdAt":"2024-01-01T00:00:00Z",`
	const member = `{"type":"member","organizationId":"o","userId":"u","updatedAt":"2024-01-01T00:00:00Z",`
	tests := []struct {
		reason, line string
		want         Error // Reason is not compared
	}{
		{"nothing at all is no record", ``, Error{}},
		{"a record cut short", `{"type":"message","id":"x"`, Error{}},
		{"two records on one line", `{"type":"message"}{}`, Error{}},
		{"JSON has no comma at the end", `{"type":"message",}`, Error{}},
		{"JSON has no control characters in strings", "{\"type\":\"mess\tage\"}", Error{}},
		{"JSON is UTF-8", "{\"type\":\"conversation\",\"title\":\"\xff\"}", Error{}},
		{"a surrogate in UTF-8 is none", "{\"type\":\"conversation\",\"title\":\"\xed\xa0\x80\"}", Error{}},
		{"an array is no record", `[]`, Error{}},
		{"null is no record", `null`, Error{}},
		{"a type is needed", `{"id":"c"}`, Error{Field: "type"}},
		{"a type is a string", `{"type":["conversation"]}`, Error{Field: "type"}},
		{"types are these four", `{"type":"planet","id":"c"}`, Error{Field: "type"}},
		{"types are case-sensitive", `{"type":"Conversation"}`, Error{Field: "type"}},
		{"an id is needed", `{"type":"conversation"}`, Error{"conversation", "", "id", ""}},
		{"an id is not null", conversation + `"id":null}`, Error{"conversation", "", "id", ""}},
		{"an id is not empty", conversation + `"id":""}`, Error{"conversation", "", "id", ""}},
		{"an id has at most 128 bytes", conversation + `"id":"` + strings.Repeat("é", 65) + `"}`, Error{"conversation", "", "id", ""}},
		{"an id has at most 128 digits", conversation + `"id":` + strings.Repeat("1", 129) + `}`, Error{"conversation", "", "id", ""}},
		{"a fraction is no id", conversation + `"id":1.0}`, Error{"conversation", "", "id", ""}},
		{"an exponent makes no id", conversation + `"id":1e3}`, Error{"conversation", "", "id", ""}},
		{"true is no id", conversation + `"id":true}`, Error{"conversation", "", "id", ""}},
		{"half a surrogate pair is no character", conversation + `"id":"a\ud800"}`, Error{"conversation", "", "id", ""}},
		{"two first halves are no pair", conversation + `"id":"\ud800\ud800"}`, Error{"conversation", "", "id", ""}},
		{"a second half alone is no pair", conversation + `"id":"\uDC00"}`, Error{"conversation", "", "id", ""}},
		{"a pair is not torn by a letter", conversation + `"id":"\ud83dx\ude00"}`, Error{"conversation", "", "id", ""}},
		{"a pair is not torn by an escape", conversation + `"id":"\ud83d\n\ude00"}`, Error{"conversation", "", "id", ""}},
		{"an organization is needed", conversation + `"organizationId":null}`, Error{"conversation", "c", "organizationId", ""}},
		{"a user is needed", conversation + `"userId":{}}`, Error{"conversation", "c", "userId", ""}},
		{"an empty agent is not none", conversation + `"agentId":""}`, Error{"conversation", "c", "agentId", ""}},
		{"createdAt is needed", conversation + `"createdAt":null}`, Error{"conversation", "c", "createdAt", ""}},
		{"a number is no time", conversation + `"createdAt":1704067200}`, Error{"conversation", "c", "createdAt", ""}},
		{"an empty version is none", conversation + `"updatedAt":""}`, Error{"conversation", "c", "updatedAt", ""}},
		{"deletedAt is a time", conversation + `"deletedAt":true}`, Error{"conversation", "c", "deletedAt", ""}},
		{"a knowledge base is needed", file + `"knowledgeBaseId":false}`, Error{"kbFile", "f", "knowledgeBaseId", ""}},
		{"a status is a string", file + `"processingStatus":1}`, Error{"kbFile", "f", "processingStatus", ""}},
		{"an empty status is neither completed nor none", file + `"processingStatus":""}`, Error{"kbFile", "f", "processingStatus", ""}},
		{"processedAt is a time", file + `"processedAt":"soon"}`, Error{"kbFile", "f", "processedAt", ""}},
		{"a file's tokens are a count", file + `"extractInputTokens":-1}`, Error{"kbFile", "f", "extractInputTokens", ""}},
		{"a file's sum fits", file + `"extractInputTokens":4294967295,"extractOutputTokens":1}`, Error{"kbFile", "f", "extractTotalTokens", ""}},
		{"a member has metadata", member + `"a":1}`, Error{"member", "u", "publicMetadata", ""}},
		{"metadata is an object", member + `"publicMetadata":"flat"}`, Error{"member", "u", "publicMetadata", ""}},
		{"an array is no object", member + `"publicMetadata":[]}`, Error{"member", "u", "publicMetadata", ""}},
		{"a deleted member's metadata is an object still", member + `"deletedAt":"2024-01-01T00:00:00Z","publicMetadata":1}`, Error{"member", "u", "publicMetadata", ""}},
		{"a member has a version", member + `"updatedAt":null,"publicMetadata":{}}`, Error{"member", "u", "updatedAt", ""}},
		{"createdAt stands for an absent version only", member + `"updatedAt":"x","createdAt":"2024-01-01T00:00:00Z","publicMetadata":{}}`, Error{"member", "u", "updatedAt", ""}},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			checkRefused(t, test.line, test.want)
		})
	}
}

// checkRefused wants a line refused with an error about the record and the field that want names.
func checkRefused(t *testing.T, line string, want Error) {
	t.Helper()
	text := []byte(line)
	rec, err := Parse(text)
	clear(text) // an error that still lies in the line would change with it
	got, ok := errors.AsType[*Error](err)
	if !ok || rec != nil {
		t.Fatalf("got %+v, %v, want an *Error", rec, err)
	}
	if got.Reason == "" {
		t.Error("the error gives no reason")
	}
	if want.Reason = got.Reason; *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
}

func TestErrorReadsWell(t *testing.T) {
	tests := []struct{ reason, line, want string }{
		{
			"what is wrong, where, and what is wanted",
			`{"type":"message","id":42,"conversationId":1,"role":"user","createdAt":"2024-01-01T00:00:00Z","usage":{"inputTokens":-3}}`,
			`message 42: usage.inputTokens: is -3, want a count of at least 0`,
		},
		{"without an id there is none to name", `{"type":"message"}`, `message: id: is missing, want a string of 1 to 128 bytes or an integer`},
		{"without a type the field comes first", `{"type":7}`, `type: is 7, want "conversation", "message", "kbFile" or "member"`},
		{"a line that is no JSON says why", `{"type":"message"`, `the line is not valid JSON: unexpected end of JSON input`},
		{
			"a long value is cut between characters",
			`{"type":"message","id":"` + strings.Repeat("€", 100) + `"}`,
			`message: id: is "` + strings.Repeat("€", 26) + `…, want a string of 1 to 128 bytes or an integer`,
		},
	}
	for _, test := range tests {
		t.Run(test.reason, func(t *testing.T) {
			if _, err := Parse([]byte(test.line)); err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestParseBoundsDepth(t *testing.T) {
	nested := func(levels int, core string) []byte {
		return []byte(`{"type":"conversation","id":"c","organizationId":"o","userId":"u","createdAt":"2024-01-01T00:00:00Z",` +
			`"title":` + strings.Repeat("[", levels-1) + core + strings.Repeat("]", levels-1) + `}`)
	}
	if _, err := Parse(nested(maxDepth, "1")); err != nil {
		t.Errorf("the greatest depth allowed: %v", err)
	}
	if _, err := Parse(nested(maxDepth, `"\"[[["`)); err != nil {
		t.Errorf("brackets in a string are no depth: %v", err)
	}
	if _, err := Parse(nested(maxDepth+1, "1")); err == nil {
		t.Error("one level more passed")
	}
	if _, err := Parse([]byte(strings.Repeat(`{"a":`, 10_000_000))); err == nil {
		t.Error("a line of nothing but depth passed")
	}
}

func TestBlank(t *testing.T) {
	for _, line := range []string{"", " ", "\r", " \t\r\n"} {
		if !Blank([]byte(line)) {
			t.Errorf("%q is not blank", line)
		}
	}
	for _, line := range []string{"{}", " x ", "\u00a0", "\x00"} {
		if Blank([]byte(line)) {
			t.Errorf("%q is blank", line)
		}
	}
}
