package record

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// jsonByField holds, for each field, JSON texts that suit it, "" to leave it out. Unsuitable ones come from all
// fields together.
var jsonByField = map[string][]string{
	"type":           {`"conversation"`, `"message"`, `"kbFile"`, `"member"`},
	"id":             {`"a"`, `7`, `"\u0061\n"`, `-0`},
	"organizationId": {`"org_1"`, `12`}, "userId": {`"user_1"`, `"ü"`}, "conversationId": {`"c"`, `1`}, "knowledgeBaseId": {`"k"`, `0`},
	"agentId":   {``, `null`, `"a"`, `3`},
	"createdAt": {`"2024-01-01T00:00:00.000Z"`, `"2024-02-29T23:59:59.123456+05:45"`, `"1969-12-31T23:59:59.9999Z"`, `"2024-01-01t00:00:00.5z"`},
	"updatedAt": {``, `null`, `"2025-01-01T00:00:00Z"`}, "deletedAt": {``, ``, `null`, `"2026-01-01T00:00:00Z"`},
	"processedAt": {``, `null`, `"2024-03-01T00:00:00-11:00"`},
	"role":        {`"user"`, `"assistant"`, `"critic"`},
	"usage": {
		``, `null`, `{}`, `{"inputTokens":3,"outputTokens":4.0}`, `{"promptTokens":1e2,"completionTokens":0,"totalTokens":9}`,
		`{"inputTokens":1,"inputTokens":2,"promptTokens":"x"}`,
	},
	"toolInvocations":    {``, `null`, `[]`, `[{"a":[1,{"b":"]"}]},2]`, `{}`, `"x"`},
	"parts":              {``, `null`, `[]`, `[{"type":"tool-x"},{"type":"text"},{"type":"tool-result"},{"type":"dynamic-tool"},1,null,"a"]`},
	"feedback":           {``, `null`, `"helpful"`, `"not_helpful"`, `["helpful","helpful","not_helpful"]`, `[]`},
	"processingStatus":   {``, `null`, `"completed"`, `"parsing"`},
	"extractInputTokens": {``, `null`, `5`, `5e0`}, "extractOutputTokens": {``, `null`, `6`}, "extractTotalTokens": {``, `null`, `0`},
	"publicMetadata": {
		`null`, `{}`, `{"a":{"b":[1,1.50,"x",{"c":null,"d":true}]},"e":-0,"f":1e21,"g":-1e-7}`, `{"a":[1e25,10000000000000000000000000,1E+400,-0.0,1.50,0.0000001,1e2,12345678901234567890123]}`,
		`{"a":{"x":1},"a":{"y":"<\u00e9>"}}`,
	},
	"unknown": {``, `"\"{[\\"`, `[[{"type":"message"}]]`},
}

// oddJSON suits few fields or none.
var oddJSON = []string{
	``, `null`, `true`, `""`, `"\ud800"`, `"x"`, `[]`, `{}`, `[null]`, `{"a":1}`, `-1`, `1.5`, `1.0`, `4294967296`, `4294967295`, `-0`, `1e400`,
	`"2024-02-30T00:00:00Z"`, `"2024-01-01T24:00:00Z"`, `"2016-12-31T23:59:60Z"`, `"2024-01-01u00:00:00Z"`, `"1899-01-01T00:00:00Z"`, `{"inputTokens":-1}`, `{"totalTokens":"1"}`,
	`{"inputTokens":4294967295,"outputTokens":4294967295}`, `{"helpful":"helpful"}`, `["meh"]`, `[["helpful"]]`,
	`"` + strings.Repeat("i", 65) + `"`, `"` + strings.Repeat("i", 129) + `"`, `01`, `"\x"`, `{"a":}`,
}

// randomLine returns a record, mostly right, with its fields in any order, at times twice.
func randomLine(random *rand.Rand, names []string) []byte {
	var fields []string
	for _, i := range random.Perm(len(names)) {
		for again := true; again; again = random.IntN(50) == 0 {
			values := jsonByField[names[i]]
			if random.IntN(40) == 0 {
				values = oddJSON
			}
			if value := values[random.IntN(len(values))]; value != "" {
				fields = append(fields, fmt.Sprintf(`"%s":%s`, names[i], value))
			}
		}
	}
	return []byte("{" + strings.Join(fields, ",") + "}")
}

func TestParseAgreesWithReference(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	names := slices.Sorted(maps.Keys(jsonByField))
	accepted := map[reflect.Type]int{}
	rejected := 0
	for range 40_000 {
		line := randomLine(random, names)
		want, wantErr := reference(line)
		got, err := Parse(line)
		if (err == nil) != (wantErr == nil) || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\ngot  %+v, %v\nwant %+v, %v", line, got, err, want, wantErr)
		}
		if err != nil {
			rejected++
		}
		accepted[reflect.TypeOf(got)]++
	}
	for _, kind := range []Record{&Conversation{}, &Message{}, &KBFile{}, &Member{}} {
		if n := accepted[reflect.TypeOf(kind)]; n < 2000 {
			t.Errorf("only %d lines are a valid %T", n, kind)
		}
	}
	if rejected < 2000 {
		t.Errorf("only %d lines are wrong", rejected)
	}
}
