package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/orgstats/orgstats/service/auth"
)

// generator generates records and questions about them. Ids, versions and instants come from small sets, so that
// records collide: they replace, move, delete and wait for each other all the time. The same seed generates the same
// records.
type generator struct {
	*rand.Rand
	made []time.Time // instants of the records that were generated last
}

func newGenerator(seed uint64) *generator {
	return &generator{Rand: rand.New(rand.NewPCG(seed, 0))}
}

// chance returns true with a probability.
func (g *generator) chance(p float64) bool { return g.Float64() < p }

func pick[T any](g *generator, all ...T) T { return all[g.IntN(len(all))] }

// line generates a line, which is a record unless wrong is true.
func (g *generator) line() (line []byte, wrong bool) {
	var r object
	switch n := g.IntN(100); {
	case n < 25:
		r = g.conversation()
	case n < 75:
		r = g.message()
	case n < 88:
		r = g.kbFile()
	default:
		r = g.member()
	}
	if g.chance(0.03) {
		return g.spoil(r), true
	}
	return mustMarshal(r), false
}

func mustMarshal(r any) []byte {
	line, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	return line
}

// spoil turns a record into a line that is no record.
func (g *generator) spoil(r object) []byte {
	field, value := "type", any("note")
	switch g.IntN(6) {
	case 0:
		line := mustMarshal(r)
		return line[:1+g.IntN(len(line)-1)]
	case 1:
		return []byte(`[1, 2]`)
	case 2:
		field, value = map[any]string{"conversation": "userId", "message": "role", "kbFile": "knowledgeBaseId", "member": "publicMetadata"}[r["type"]], 1.5
	case 3:
		field, value = "updatedAt", "2024-02-30T00:00:00Z"
	case 4:
		r["type"], r["usage"], r["conversationId"], r["role"] = "message", object{"inputTokens": -1}, "c", "user"
		field, value = "id", "spoilt"
	}
	r[field] = value
	return mustMarshal(r)
}

func (g *generator) organization() string { return fmt.Sprint("org_", g.IntN(3)) }

func (g *generator) user() string { return fmt.Sprint("user_", g.IntN(6)) }

// agent returns an id or none; integers are ids, too.
func (g *generator) agent() any {
	n := g.IntN(5)
	return pick[any](g, nil, n, fmt.Sprint(n), fmt.Sprint("agent'", n))
}

func (g *generator) conversation() object {
	return g.history(object{
		"type": "conversation", "id": fmt.Sprint("c", g.IntN(60)), "organizationId": g.organization(), "userId": g.user(),
		"agentId": g.agent(), "createdAt": g.instant(),
	})
}

func (g *generator) message() object {
	r := object{
		"type": "message", "id": fmt.Sprint("m", g.IntN(400)), "conversationId": fmt.Sprint("c", g.IntN(70)),
		"role": pick(g, "user", "assistant", "tool", "système"), "createdAt": g.instant(),
		"feedback": pick[any](g, nil, nil, "helpful", "not_helpful", []string{"helpful", "not_helpful", "helpful"}, []string{}),
		"usage": pick[any](g, nil,
			object{"inputTokens": g.IntN(1000), "outputTokens": g.IntN(1000)},
			object{"promptTokens": g.IntN(1000), "completionTokens": json.Number("7.0"), "totalTokens": g.IntN(1000)},
			object{"inputTokens": nil, "promptTokens": g.Uint32N(1 << 31), "outputTokens": 0}),
	}
	calls := make([]object, g.IntN(4))
	for i := range calls {
		calls[i] = object{"type": pick(g, "tool-search", "tool-result", "dynamic-tool", "tool-invocation", "text", "tools")}
	}
	r[pick(g, "toolInvocations", "parts", "attachments")] = calls
	return g.history(r)
}

func (g *generator) kbFile() object {
	r := object{
		"type": "kbFile", "id": fmt.Sprint("f", g.IntN(40)), "organizationId": g.organization(),
		"knowledgeBaseId": pick[any](g, "kb_1", "kb_2", 3, "3"), "createdAt": g.instant(),
		"processingStatus":   pick[any](g, nil, "completed", "completed", "failed", "pending"),
		"extractInputTokens": g.IntN(5000), "extractOutputTokens": pick[any](g, nil, g.IntN(5000)),
		"extractTotalTokens": pick[any](g, nil, g.IntN(5000)),
	}
	if g.chance(0.6) {
		r["processedAt"] = g.instant()
	}
	return g.history(r)
}

func (g *generator) member() object {
	r := object{
		"type": "member", "organizationId": g.organization(), "userId": g.user(), "createdAt": g.instant(),
		"publicMetadata": g.metadata(2),
	}
	return g.history(r)
}

// metadata generates an object of few keys and few values, so that questions about them match.
func (g *generator) metadata(depth int) object {
	m := object{}
	for range g.IntN(4) {
		m[g.metadataKey()] = g.metadataValue(depth)
	}
	return m
}

func (g *generator) metadataKey() string { return pick(g, "team", "tags", "a.b", "a", "b", "") }

func (g *generator) metadataValue(depth int) any {
	if depth > 0 && g.chance(0.5) {
		if g.chance(0.5) {
			return g.metadata(depth - 1)
		}
		return []any{g.metadataValue(depth - 1), g.metadataValue(depth - 1)}
	}
	return pick[any](g, "red", "42", 42, json.Number("1.50"), json.Number("4.2e1"), true, false, nil, "it's {team:String} \\ %", "",
		"=A1, \"x\"", -7)
}

// history sets a record's version and, in some cases, its deletion.
func (g *generator) history(r object) object {
	if g.chance(0.8) {
		r["updatedAt"] = g.write(time.Date(2025, 1, 1, 0, 0, g.IntN(60), 0, time.UTC))
	}
	if g.chance(0.4) {
		r["deletedAt"] = pick[any](g, nil, g.write(time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)))
	}
	return r
}

// instant returns the time of an event, often at the edge of an hour, a day, a month or of what the tables can store.
func (g *generator) instant() string {
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.Int64N(366*24*3600*1000)) * time.Millisecond)
	switch n := g.IntN(20); {
	case n < 8:
		at = at.Truncate(pick(g, time.Hour, 24*time.Hour)).Add(pick(g, -time.Millisecond, 0, time.Millisecond))
	case n < 12:
		at = time.Date(2024, time.Month(1+g.IntN(12)), 1, 0, 0, 0, pick(g, -1, 0, 1)*int(time.Millisecond), time.UTC)
	case n == 12:
		at = pick(g, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.UnixMilli(-1), time.UnixMilli(0),
			time.Date(2261, 12, 31, 23, 59, 59, 999_000_000, time.UTC))
	case n < 16 && len(g.made) > 0:
		at = g.known()
	case n == 16:
		at = g.nearChange()
	}
	if g.made = append(g.made, at); len(g.made) > 1000 {
		g.made = g.made[500:]
	}
	return g.write(at)
}

// known returns an instant of a record.
func (g *generator) known() time.Time { return g.made[g.IntN(len(g.made))] }

// zones have offsets at which hours, days and months do not align with UTC's.
var zones = []*time.Location{
	time.UTC, time.UTC, time.FixedZone("", 5*3600+45*60), time.FixedZone("", -(3*3600 + 30*60)), time.FixedZone("", 14*3600),
}

// write formats an instant in any zone, in some cases with digits finer than milliseconds, which do not count.
func (g *generator) write(at time.Time) string {
	return g.writeFiner(at, pick(g, "", "", "", "9", "000001", "5000000"))
}

// writeFiner formats an instant in any zone, with further digits after the milliseconds.
func (g *generator) writeFiner(at time.Time, digits string) string {
	at = at.In(pick(g, zones...))
	return at.Format("2006-01-02T15:04:05.000") + digits + at.Format("Z07:00")
}

// window generates a window that contains at least one millisecond.
func (g *generator) window() url.Values {
	from, to := g.edge(), g.edge()
	switch n := g.IntN(10); {
	case n < 2:
		to = from // one millisecond
	case n < 4:
		from, to = from.Truncate(time.Hour), to.Truncate(24*time.Hour)
	case n == 4:
		from, to = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2299, 12, 31, 23, 59, 59, 999_000_000, time.UTC)
	}
	if from.After(to) {
		from, to = to, from
	}
	q := url.Values{"to": {g.writeFiner(to, pick(g, "", "", "999", "0"))}}
	if from.Before(to) && g.chance(0.3) {
		q.Set("from", g.writeFiner(from, "0001")) // rounds up to the next millisecond
	} else {
		q.Set("from", g.writeFiner(from, ""))
	}
	return q
}

// edge returns an end of a window: at, or next to, an instant of a record, or anywhere.
func (g *generator) edge() time.Time {
	if len(g.made) > 0 && g.chance(0.6) {
		return g.known().Add(pick(g, -time.Millisecond, 0, 0, time.Millisecond))
	}
	return time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(g.Int64N(366*24*3600*1000)) * time.Millisecond)
}

// question generates a question that its caller may ask.
func (g *generator) question() (auth.Caller, url.Values) {
	caller := auth.Caller{OrgID: g.organization(), UserID: g.user(), Role: "org:member"}
	q := g.window()
	if g.chance(0.7) {
		caller.Role = "org:admin"
		q.Set("allInOrg", "true")
		if g.chance(0.3) {
			q.Set("userId", pick(g, g.user(), "nobody", ""))
		}
	} else if g.chance(0.5) {
		q.Set("userId", caller.UserID)
	}
	if g.chance(0.3) {
		q.Set("agentId", pick(g, fmt.Sprint(g.IntN(5)), fmt.Sprint("agent'", g.IntN(5)), "nobody", ""))
	}
	if g.chance(0.25) {
		q.Set("metadataKey", pick(g, g.metadataKey(), g.metadataKey()+"."+g.metadataKey()))
	}
	if g.chance(0.25) {
		text, _ := scalarText(g.metadataValue(0))
		q.Set("metadataValue", text)
	}
	return caller, q
}
