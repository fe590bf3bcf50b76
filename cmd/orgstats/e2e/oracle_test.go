package e2e

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

// oracle computes what the service must answer: it keeps the winning version of every record as it came, and recomputes
// every figure from all of them. It shares no code with the program. It accepts only valid records.
type oracle struct {
	records map[recordKey]object // a member's key consists of its organization and user
	recent  map[recordKey]bool   // those that came since startLoad
	ties    int                  // recent records that won against another recent one of their version
}

type recordKey struct{ kind, id, user string }

// object is decoded JSON, its numbers as json.Number.
type object map[string]any

func newOracle() *oracle {
	return &oracle{records: map[recordKey]object{}, recent: map[recordKey]bool{}}
}

// startLoad begins to count the ties of a load.
func (o *oracle) startLoad() {
	clear(o.recent)
	o.ties = 0
}

// take applies the next record.
func (o *oracle) take(line []byte) {
	var r object
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.UseNumber()
	if err := decoder.Decode(&r); err != nil {
		panic(err) // the generator said that the line is a record
	}
	key := recordKey{kind: r.text("type"), id: r.text("id")}
	if key.kind == "member" {
		key.id, key.user = r.text("organizationId"), r.text("userId")
	}
	old, known := o.records[key]
	if known && r.version() < old.version() {
		return
	}
	if known && o.recent[key] && r.version() == old.version() && !reflect.DeepEqual(r, old) {
		o.ties++
	}
	o.records[key], o.recent[key] = r, true
}

// waiting returns the number of messages whose conversation is not known.
func (o *oracle) waiting() (n int) {
	for key, r := range o.records {
		if key.kind == "message" && r["deletedAt"] == nil && o.conversation(r) == nil {
			n++
		}
	}
	return n
}

// conversation returns the conversation of a message, nil if it is not known.
func (o *oracle) conversation(message object) object {
	return o.records[recordKey{kind: "conversation", id: message.text("conversationId")}]
}

// figures are the figures of an answer by field name.
type figures map[string]int64

// figureNames are the names of all figures, in their order.
var figureNames = []string{
	"conversationCount", "messageCount", "toolCalls", "totalTokens", "inputTokens", "outputTokens", "uniqueUsers", "uniqueAgents",
	"totalFeedback", "totalHelpful", "totalNotHelpful",
	"kbFileCount", "kbCount", "kbExtractTotalTokens", "kbExtractInputTokens", "kbExtractOutputTokens",
}

// answer computes the answer of getStats to a caller who may ask the question.
func (o *oracle) answer(caller auth.Caller, query url.Values) figures {
	return sumUp(o.counted(caller, query), windowOf(query))
}

// counted is a record that counts, if it is in the window.
type counted struct {
	key          recordKey
	at           int64 // its time, in milliseconds since 1970
	record       object
	conversation object // of a message
}

// counted returns the records that count for a caller, of all times.
func (o *oracle) counted(caller auth.Caller, query url.Values) (all []counted) {
	for key, r := range o.records {
		switch key.kind {
		case "message":
			c := o.conversation(r)
			if c != nil && r["deletedAt"] == nil && c["deletedAt"] == nil && c.text("organizationId") == caller.OrgID && o.passes(c, caller, query) {
				all = append(all, counted{key, r.time("createdAt").UnixMilli(), r, c})
			}
		case "kbFile":
			status := r["processingStatus"]
			if r["deletedAt"] == nil && r.text("organizationId") == caller.OrgID && (status == nil || status == "completed") {
				all = append(all, counted{key, r.either("processedAt", "createdAt").UnixMilli(), r, nil})
			}
		}
	}
	return all
}

// sumUp returns the figures of records in a window. One that comes twice counts once.
func sumUp(records []counted, w window) figures {
	f := figures{}
	for _, name := range figureNames {
		f[name] = 0
	}
	seen := map[recordKey]bool{}
	distinct := map[[2]string]bool{} // by figure and id
	count := func(figure, id string) {
		if what := [2]string{figure, id}; !distinct[what] {
			distinct[what] = true
			f[figure]++
		}
	}
	for _, c := range records {
		if !w.holds(c.at) || seen[c.key] {
			continue
		}
		seen[c.key] = true
		if c.conversation == nil {
			f.addFile(c.record)
			count("kbCount", c.record.text("knowledgeBaseId"))
			continue
		}
		f.addMessage(c.record)
		count("conversationCount", c.conversation.text("id"))
		count("uniqueUsers", c.conversation.text("userId"))
		if c.conversation["agentId"] != nil {
			count("uniqueAgents", c.conversation.text("agentId"))
		}
	}
	return f
}

func (f figures) addMessage(r object) {
	usage, _ := r["usage"].(map[string]any)
	input := firstCount(usage, "inputTokens", "promptTokens")
	output := firstCount(usage, "outputTokens", "completionTokens")
	f["messageCount"]++
	f["inputTokens"] += input
	f["outputTokens"] += output
	f["totalTokens"] += total(usage["totalTokens"], input, output)
	f["toolCalls"] += toolCalls(r)
	feedback, isArray := r["feedback"].([]any)
	if !isArray && r["feedback"] != nil {
		feedback = []any{r["feedback"]}
	}
	for _, given := range feedback {
		f["totalFeedback"]++
		f[map[any]string{"helpful": "totalHelpful", "not_helpful": "totalNotHelpful"}[given]]++
	}
}

func (f figures) addFile(r object) {
	input, output := firstCount(r, "extractInputTokens"), firstCount(r, "extractOutputTokens")
	f["kbFileCount"]++
	f["kbExtractInputTokens"] += input
	f["kbExtractOutputTokens"] += output
	f["kbExtractTotalTokens"] += total(r["extractTotalTokens"], input, output)
}

func toolCalls(r object) (n int64) {
	if invocations, ok := r["toolInvocations"].([]any); ok {
		return int64(len(invocations))
	}
	parts, _ := r["parts"].([]any)
	for _, p := range parts {
		part, _ := p.(map[string]any)
		kind, _ := part["type"].(string)
		if kind == "dynamic-tool" || strings.HasPrefix(kind, "tool-") && kind != "tool-result" {
			n++
		}
	}
	return n
}

// passes reports whether a conversation passes the filters.
func (o *oracle) passes(c object, caller auth.Caller, query url.Values) bool {
	user := query.Get("userId")
	if query.Get("allInOrg") != "true" {
		user = caller.UserID
	}
	agent, key, value := query.Get("agentId"), query.Get("metadataKey"), query.Get("metadataValue")
	if user != "" && c.text("userId") != user || agent != "" && c.text("agentId") != agent {
		return false
	}
	if key == "" && value == "" {
		return true
	}
	member := o.records[recordKey{"member", caller.OrgID, c.text("userId")}]
	metadata, _ := member["publicMetadata"].(map[string]any)
	return member["deletedAt"] == nil && objectMatches(metadata, "", key, value)
}

func objectMatches(object map[string]any, prefix, key, value string) bool {
	for name, v := range object {
		if valueMatches(v, prefix+name, key, value) {
			return true
		}
	}
	return false
}

// valueMatches reports whether the value at a path matches the wanted key and value, where "" matches any.
func valueMatches(v any, path, key, value string) bool {
	if v == nil {
		return false
	}
	text, scalar := scalarText(v)
	if scalar {
		return (key == "" || key == path) && (value == "" || value == text)
	}
	if value == "" && key == path {
		return true
	}
	if elements, ok := v.([]any); ok {
		for _, element := range elements {
			if valueMatches(element, path, key, value) {
				return true
			}
		}
		return false
	}
	return objectMatches(v.(map[string]any), path+".", key, value)
}

func scalarText(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		n, _ := v.Float64()
		return strconv.FormatFloat(n, 'f', -1, 64), true
	}
	return "", false
}

// text returns an id or another text; for an integer, its digits.
func (r object) text(field string) string {
	if number, ok := r[field].(json.Number); ok {
		return number.String()
	}
	text, _ := r[field].(string)
	return text
}

func (r object) time(field string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, r.text(field))
	if err != nil {
		panic(err) // the generator said that the line is a record
	}
	return time.UnixMilli(at.UnixMilli())
}

func (r object) either(field, otherwise string) time.Time {
	if r[field] == nil {
		field = otherwise
	}
	return r.time(field)
}

func (r object) version() int64 { return r.either("updatedAt", "createdAt").UnixMilli() }

// firstCount returns the first of the fields that is present.
func firstCount(r map[string]any, fields ...string) int64 {
	for _, field := range fields {
		if number, ok := r[field].(json.Number); ok {
			n, _ := number.Float64() // 3.0 is 3
			return int64(n)
		}
	}
	return 0
}

func total(given any, input, output int64) int64 {
	if given == nil {
		return input + output
	}
	return firstCount(map[string]any{"": given}, "")
}
