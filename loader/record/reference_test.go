package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The reference reads records as plainly as can be, from the maps of encoding/json. It is meant to agree with Parse
// on every line, and shares no code with it. It gives no reasons.

var (
	errReference    = errors.New("the record is wrong")
	referenceTime   = regexp.MustCompile(`^\d{4}-\d\d-\d\d[Tt]\d\d:[0-5]\d:[0-5]\d(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$`)
	referenceInt    = regexp.MustCompile(`^-?\d+$`)
	escapedHalfPair = regexp.MustCompile(`(?i)\\ud[89a-f]`) // whole pairs too: the random lines have none in texts
)

// reference panics with errReference inside, for brevity.
func reference(line []byte) (rec Record, err error) {
	defer func() {
		if failure := recover(); failure != nil {
			rec, err = nil, failure.(error)
		}
	}()
	var fields map[string]json.RawMessage
	if json.Unmarshal(line, &fields) != nil || fields == nil {
		return nil, errReference
	}
	f := referenceFields(fields)
	switch f.text("type") {
	case "conversation":
		c := &Conversation{ID: f.id("id"), OrgID: f.id("organizationId"), UserID: f.id("userId"), CreatedAt: f.time("createdAt")}
		if f.given("agentId") {
			c.AgentID = f.id("agentId")
		}
		c.UpdatedAt, c.DeletedAt, c.Deleted = f.timeOr("updatedAt", c.CreatedAt), f.timeOr("deletedAt", 0), f.given("deletedAt")
		return c, nil
	case "message":
		return f.message(), nil
	case "kbFile":
		k := &KBFile{ID: f.id("id"), OrgID: f.id("organizationId"), KnowledgeBaseID: f.id("knowledgeBaseId"), CreatedAt: f.time("createdAt")}
		if f.given("processingStatus") {
			k.Status = f.text("processingStatus")
			f.require(k.Status != "")
		}
		k.ProcessedAt, k.UpdatedAt = f.timeOr("processedAt", k.CreatedAt), f.timeOr("updatedAt", k.CreatedAt)
		k.DeletedAt, k.Deleted = f.timeOr("deletedAt", 0), f.given("deletedAt")
		k.InputTokens, k.OutputTokens, k.TotalTokens = f.counts([]string{"extractInputTokens"}, []string{"extractOutputTokens"}, "extractTotalTokens")
		return k, nil
	case "member":
		return f.member(), nil
	}
	return nil, errReference
}

type referenceFields map[string]json.RawMessage

func (f referenceFields) require(ok bool) {
	if !ok {
		panic(errReference)
	}
}

func (f referenceFields) given(name string) bool { return f[name] != nil && string(f[name]) != "null" }

func (f referenceFields) value(name string) (value any) {
	decoder := json.NewDecoder(strings.NewReader(string(f[name])))
	decoder.UseNumber()
	f.require(decoder.Decode(&value) == nil)
	return value
}

func (f referenceFields) text(name string) string {
	text, ok := f.value(name).(string)
	f.require(ok && !escapedHalfPair.Match(f[name]))
	return text
}

func (f referenceFields) id(name string) string {
	id := string(f[name])
	if !referenceInt.MatchString(id) {
		id = f.text(name)
	}
	f.require(len(id) >= 1 && len(id) <= 128)
	return id
}

func (f referenceFields) time(name string) int64 {
	text := f.text(name)
	f.require(referenceTime.MatchString(text))
	at, err := time.Parse(time.RFC3339, strings.ToUpper(text))
	f.require(err == nil && at.UTC().Year() >= 1900 && at.UTC().Year() <= 2261)
	return at.UnixMilli()
}

func (f referenceFields) timeOr(name string, otherwise int64) int64 {
	if f.given(name) {
		return f.time(name)
	}
	return otherwise
}

// counts reads an input, an output and a total count, the first two by the first name that is given.
func (f referenceFields) counts(inputs, outputs []string, total string) (in, out, sum uint32) {
	first := func(names []string) uint32 {
		for _, name := range names {
			if f.given(name) {
				number, ok := f.value(name).(json.Number)
				f.require(ok && len(number) < 20) // a big.Rat of 1e999999999 takes forever
				exact, ok := new(big.Rat).SetString(string(number))
				f.require(ok && exact.IsInt() && exact.Sign() >= 0 && exact.Num().BitLen() <= 32)
				return uint32(exact.Num().Uint64())
			}
		}
		return 0
	}
	in, out = first(inputs), first(outputs)
	if f.given(total) {
		return in, out, first([]string{total})
	}
	f.require(uint64(in)+uint64(out) < 1<<32)
	return in, out, in + out
}

func (f referenceFields) message() *Message {
	m := &Message{ID: f.id("id"), ConversationID: f.id("conversationId"), Role: f.text("role"), CreatedAt: f.time("createdAt")}
	f.require(len(m.Role) >= 1 && len(m.Role) <= 64)
	m.UpdatedAt, m.DeletedAt, m.Deleted = f.timeOr("updatedAt", m.CreatedAt), f.timeOr("deletedAt", 0), f.given("deletedAt")
	if f.given("usage") {
		var usage map[string]json.RawMessage
		f.require(json.Unmarshal(f["usage"], &usage) == nil)
		m.InputTokens, m.OutputTokens, m.TotalTokens = referenceFields(usage).counts(
			[]string{"inputTokens", "promptTokens"}, []string{"outputTokens", "completionTokens"}, "totalTokens")
	}
	var invocations, parts []json.RawMessage
	if f.given("toolInvocations") && json.Unmarshal(f["toolInvocations"], &invocations) == nil {
		m.ToolCalls = uint32(len(invocations))
	} else if f.given("parts") {
		f.require(json.Unmarshal(f["parts"], &parts) == nil)
		for _, part := range parts {
			var members map[string]any
			if json.Unmarshal(part, &members) == nil {
				kind, _ := members["type"].(string)
				if kind != "tool-result" && (kind == "dynamic-tool" || strings.HasPrefix(kind, "tool-")) {
					m.ToolCalls++
				}
			}
		}
	}
	if f.given("feedback") {
		pieces, ok := f.value("feedback").([]any)
		if !ok {
			pieces = []any{f.value("feedback")}
		}
		for _, piece := range pieces {
			f.require(piece == "helpful" || piece == "not_helpful")
			if piece == "helpful" {
				m.Helpful++
			} else {
				m.NotHelpful++
			}
		}
	}
	return m
}

func (f referenceFields) member() *Member {
	m := &Member{OrgID: f.id("organizationId"), UserID: f.id("userId")}
	version := "updatedAt"
	if !f.given(version) && f.given("createdAt") {
		version = "createdAt"
	}
	m.UpdatedAt, m.DeletedAt, m.Deleted = f.time(version), f.timeOr("deletedAt", 0), f.given("deletedAt")
	f.require(m.Deleted || f["publicMetadata"] != nil)
	tree := map[string]any{}
	if f.given("publicMetadata") {
		object, ok := f.value("publicMetadata").(map[string]any)
		f.require(ok)
		tree = object
	}
	paths, pairs := map[string]bool{}, map[[2]string]bool{}
	var walk func(path []string, value any)
	walk = func(path []string, value any) {
		at := strings.Join(path, ".")
		if value != nil && len(path) > 0 {
			paths[at] = true
		}
		switch value := value.(type) {
		case map[string]any:
			for key, member := range value {
				walk(append(slices.Clone(path), key), member)
			}
		case []any:
			for _, element := range value {
				walk(path, element)
			}
		case json.Number:
			text := referenceNumber(string(value))
			pairs[[2]string{at, text}] = true
		case string, bool:
			pairs[[2]string{at, fmt.Sprint(value)}] = true
		}
	}
	walk(nil, tree)
	m.Paths = slices.Sorted(maps.Keys(paths))
	sorted := slices.SortedFunc(maps.Keys(pairs), func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	for _, pair := range sorted {
		m.PairPaths, m.PairValues = append(m.PairPaths, pair[0]), append(m.PairValues, pair[1])
	}
	var text strings.Builder
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	f.require(encoder.Encode(tree) == nil)
	m.Metadata = strings.TrimSpace(text.String())
	return m
}

// referenceNumber returns a number as JavaScript prints it, but for whole numbers, which keep all digits, with an
// exponent where that is shorter than more than 21 digits are.
func referenceNumber(text string) string {
	if exact, ok := new(big.Rat).SetString(text); ok && exact.IsInt() {
		digits := exact.Num().Text(10)
		size := strings.TrimPrefix(digits, "-")
		if len(size) <= 21 {
			return digits
		}
		short := size[:1] + strings.TrimRight("."+strings.TrimRight(size[1:], "0"), ".") + fmt.Sprintf("e+%d", len(size)-1)
		if len(size) <= len(short) {
			return digits
		}
		return strings.Repeat("-", len(digits)-len(size)) + short
	}
	number, _ := json.Number(text).Float64()
	printed, _ := json.Marshal(number) // as JavaScript does
	return string(printed)
}
