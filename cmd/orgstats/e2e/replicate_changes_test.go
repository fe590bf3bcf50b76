package e2e

import (
	"fmt"
	"strings"
	"time"
)

// sourceIDs has the prefix and the number of each table's ids: few enough that changes collide, enough that a snapshot
// has some work.
var sourceIDs = map[string]struct {
	prefix string
	n      int
}{
	"conversation": {"c", 400}, "message": {"m", 4000}, "knowledge_base_file": {"f", 200}, "organization_membership": {"o", 24},
}

func (g *generator) id(table string) string {
	ids := sourceIDs[table]
	return fmt.Sprint(ids.prefix, g.IntN(ids.n))
}

func (g *generator) table() string {
	return pick(g, "conversation", "conversation", "message", "message", "message", "knowledge_base_file", "organization_membership")
}

// large returns a text that PostgreSQL stores outside its row, because it is long, and too random to be compressed. An
// update of other columns does not send it again.
func (g *generator) large() string {
	var b strings.Builder
	for range 600 + g.IntN(600) {
		fmt.Fprintf(&b, "%016x", g.Uint64())
	}
	return b.String()
}

func (g *generator) parts() []byte {
	parts := []object{{"type": "text", "text": g.large()}}
	for range g.IntN(5) {
		parts = append(parts, object{"type": pick(g, "tool-search", "tool-result", "dynamic-tool", "text", "tool-invocation")})
	}
	return mustMarshal(parts)
}

func (g *generator) feedback() []byte {
	return mustMarshal(pick[any](g, nil, "helpful", "not_helpful", []string{"helpful", "not_helpful", "helpful"}, []string{}))
}

func (g *generator) usage() object {
	return object{"inputTokens": g.IntN(1000), "outputTokens": g.IntN(1000)}
}

// change is a statement with its arguments.
type change struct {
	sql       string
	arguments []any
}

// put inserts a record, or replaces its whole row.
func (g *generator) put(r object) change {
	table := tableOf(r)
	r["id"] = g.id(table.name)
	if r["type"] == "message" {
		r["conversationId"] = g.id("conversation")
	}
	return change{table.upsert(), []any{table.row(r)}}
}

// set updates some columns of a row, which need not exist.
func (g *generator) set(table, assignments string, values ...any) change {
	return change{fmt.Sprintf("UPDATE %s SET %s WHERE id = $1", table, assignments), append([]any{g.id(table)}, values...)}
}

// kindOfChange is a way in which an application changes a row. Instants, versions and deletion marks come in any order:
// what counts is the order of the transactions.
type kindOfChange struct {
	weight int
	reason string
	make   func(*generator) change
}

// kindsOfChange are the changes of single rows.
var kindsOfChange = []kindOfChange{
	{12, "a conversation, whole", func(g *generator) change { return g.put(g.conversation()) }},
	{40, "a message, whole", func(g *generator) change { return g.put(g.message()) }},
	{8, "a file, whole", func(g *generator) change { return g.put(g.kbFile()) }},
	{3, "a member, whole", func(g *generator) change { return g.put(g.member()) }},
	{30, "feedback alone", func(g *generator) change {
		return g.set("message", "feedback = $2, updated_at = now()", g.feedback())
	}},
	{12, "usage alone", func(g *generator) change { return g.set("message", "usage = $2", mustMarshal(g.usage())) }},
	{12, "large parts", func(g *generator) change {
		return g.set("message", "parts = $2, tool_invocations = NULL", g.parts())
	}},
	{3, "large tool invocations", func(g *generator) change {
		return g.set("message", "tool_invocations = $2", mustMarshal([]object{{"result": g.large()}, {}, {}}))
	}},
	{3, "tool invocations taken back, so that the parts count", func(g *generator) change {
		return g.set("message", "tool_invocations = 'null'")
	}},
	{3, "large usage", func(g *generator) change {
		usage := g.usage()
		usage["raw"] = g.large()
		return g.set("message", "usage = $2", mustMarshal(usage))
	}},
	{2, "large metadata", func(g *generator) change {
		metadata := g.metadata(2)
		metadata["notes"] = g.large()
		return g.set("organization_membership", "public_metadata = $2", mustMarshal(metadata))
	}},
	{8, "a message moves to another conversation", func(g *generator) change {
		return g.set("message", "conversation_id = $2", g.id("conversation"))
	}},
	{8, "a message moves to another time", func(g *generator) change {
		return g.set("message", "created_at = $2::text::timestamptz", g.instant())
	}},
	{4, "a conversation moves to another organization and user", func(g *generator) change {
		return g.set("conversation", "organization_id = $2, user_id = $3", g.organization(), g.user())
	}},
	{2, "a member moves to another organization and user", func(g *generator) change {
		return g.set("organization_membership", "organization_id = $2, user_id = $3", g.organization(), g.user())
	}},
	{8, "marked as deleted", func(g *generator) change { return g.set(g.table(), "deleted_at = now()") }},
	{12, "the mark taken back", func(g *generator) change { return g.set(g.table(), "deleted_at = NULL") }},
	{5, "deleted", func(g *generator) change {
		table := g.table()
		return change{fmt.Sprintf("DELETE FROM %s WHERE id = $1", table), []any{g.id(table)}}
	}},
	{4, "another key", func(g *generator) change {
		table := g.table()
		return g.set(table, "id = $2", g.id(table))
	}},
	{3, "another key, and another row under the former one", func(g *generator) change {
		former, key := g.id("message"), g.id("message")
		return change{fmt.Sprintf(`
			UPDATE message SET id = '%[2]s' WHERE id = '%[1]s' AND NOT EXISTS (SELECT FROM message WHERE id = '%[2]s');
			INSERT INTO message (id, conversation_id, role, parts) VALUES ('%[1]s', '%[3]s', 'user', '[{"type": "tool-new"}]') ON CONFLICT DO NOTHING`,
			former, key, g.id("conversation")), nil}
	}},
	{1, "metadata of none", func(g *generator) change { return g.set("organization_membership", "public_metadata = NULL") }},
}

// mistakes are changes after which rows are no records, some with values that are sent only once.
var mistakes = []kindOfChange{
	{3, "negative tokens, and new parts", func(g *generator) change {
		return g.set("message", `usage = '{"inputTokens": -1}', parts = $2, tool_invocations = NULL`, g.parts())
	}},
	{1, "at no time, under another key", func(g *generator) change {
		return g.set("message", "created_at = 'infinity', id = $2", g.id("message"))
	}},
	{1, "of no organization", func(g *generator) change {
		return g.set("conversation", "organization_id = NULL, agent_id = $2", fmt.Sprint(g.IntN(5)))
	}},
	{1, "negative tokens of a file", func(g *generator) change {
		return g.set("knowledge_base_file", "extract_input_tokens = -1, knowledge_base_id = 'kb_1'")
	}},
	{1, "metadata that is no object, and another user", func(g *generator) change {
		return g.set("organization_membership", "public_metadata = '[1]', user_id = $2", g.user())
	}},
}

// mend corrects all rows that mistakes have made. Values that were sent with a mistake count from then on.
const mend = `
	UPDATE message SET usage = '{"inputTokens": 3}' WHERE (usage->>'inputTokens')::numeric < 0;
	UPDATE message SET created_at = '2024-05-05 05:05:05.055+00' WHERE NOT isfinite(created_at);
	UPDATE conversation SET organization_id = 'org_0' WHERE organization_id IS NULL;
	UPDATE knowledge_base_file SET extract_input_tokens = 7 WHERE extract_input_tokens < 0;
	UPDATE organization_membership SET public_metadata = '{"team": "red"}' WHERE jsonb_typeof(public_metadata) <> 'object'`

// sweeps change many rows in one statement.
var sweeps = []kindOfChange{
	{30, "many messages, from one", func(g *generator) change {
		return change{`INSERT INTO message (id, conversation_id, role, parts, usage, created_at)
			SELECT 'bulk ' || n, 'c' || n % 400, 'user', '[{"type": "tool-search"}]', jsonb_build_object('inputTokens', n), $1::text::timestamptz + n * interval '1 minute'
			FROM generate_series(1, 3000) AS n
			ON CONFLICT (id) DO UPDATE SET created_at = excluded.created_at, usage = excluded.usage`, []any{g.write(time.Date(2024, 1, 1+g.IntN(360), g.IntN(24), 0, 0, 0, time.UTC))}}
	}},
	{20, "some of many messages", func(g *generator) change {
		return change{`UPDATE message SET feedback = '"helpful"' WHERE id LIKE 'bulk %' AND hashtext(id) % 3 = $1`, []any{g.IntN(3)}}
	}},
	{20, "the end of many messages", func(g *generator) change {
		return change{`DELETE FROM message WHERE id LIKE 'bulk %' AND hashtext(id) % 2 = $1`, []any{g.IntN(2)}}
	}},
	{20, "every message of some conversations", func(g *generator) change {
		return change{`UPDATE message SET role = 'tool', updated_at = now() WHERE conversation_id LIKE $1`, []any{g.id("conversation")[:2] + "%"}}
	}},
	{2, "no files", func(*generator) change { return change{"TRUNCATE knowledge_base_file", nil} }},
	{2, "no members", func(*generator) change { return change{"TRUNCATE organization_membership", nil} }},
	{1, "no conversations and no files", func(*generator) change { return change{"TRUNCATE conversation, knowledge_base_file", nil} }},
	{1, "no messages", func(*generator) change { return change{"TRUNCATE message", nil} }},
}

// choose draws a kind by weight.
func (g *generator) choose(kinds []kindOfChange) kindOfChange {
	all := 0
	for _, k := range kinds {
		all += k.weight
	}
	at := g.IntN(all)
	for _, k := range kinds {
		if at -= k.weight; at < 0 {
			return k
		}
	}
	panic("the weights changed")
}
