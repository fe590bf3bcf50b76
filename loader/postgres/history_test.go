package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/loader/postgres/pgtest"
)

// talk gives the organization two messages of a conversation.
const talk = `INSERT INTO conversation (id, organization_id, user_id) VALUES ('c1', 'o', 'u');
	INSERT INTO message (id, conversation_id, role) VALUES ('m1', 'c1', 'user'), ('m2', 'c1', 'user');`

const messages = "SELECT count() FROM messages FINAL"

// stopsWith expects the replication to end with some words.
func (i *installation) stopsWith(reason string, words ...string) {
	i.Helper()
	err := i.wait()
	for _, word := range words {
		if err == nil || !strings.Contains(err.Error(), word) {
			i.Errorf("%s: %q is not said: %v", reason, word, err)
		}
	}
}

func TestATableIsMadeAnew(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk)
	i.follow()
	i.catchUp()
	i.expect("copied", messages, 2)
	i.source.Exec(`DROP TABLE message; CREATE TABLE message (LIKE knowledge_base_file)`)
	i.stopsWith("a table of this name is another one", "public.message", "was dropped")
	i.follow()
	i.stopsWith("and is not what the mapping says", "no column conversation_id", "no replica identity")
	i.source.Exec(`DROP TABLE message; CREATE TABLE message (id text PRIMARY KEY, conversation_id text, role text, parts jsonb, tool_invocations jsonb,
		usage jsonb, feedback jsonb, created_at timestamptz DEFAULT now(), updated_at timestamptz, deleted_at timestamptz);
		INSERT INTO message (id, conversation_id, role) VALUES ('m2', 'c1', 'user'), ('m3', 'c1', 'user'), ('m4', 'c1', 'user')`)
	i.follow()
	i.catchUp()
	i.expect("what is there now", messages+" WHERE id IN ('m2', 'm3', 'm4')", 3)
	i.expect("and nothing else", messages, 3)
	i.source.Exec("DELETE FROM message WHERE id = 'm4'")
	i.catchUp()
	i.expect("it is followed", messages, 2)
	i.end()
}

func TestARenamedTableIsNotForgotten(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk)
	i.follow()
	i.catchUp()
	i.source.Exec("ALTER TABLE message RENAME TO utterance; DELETE FROM utterance WHERE id = 'm1'")
	i.stopsWith("renamed", "public.message was renamed to public.utterance")
	i.source.Exec("ALTER TABLE utterance RENAME TO message")
	i.follow()
	i.catchUp()
	i.expect("it has its name again, though the log has the other one", messages, 1)
	i.source.Exec("ALTER TABLE message RENAME TO utterance")
	i.stopsWith("renamed, and no row says so", "public.message was renamed to public.utterance")
	i.source.Exec("ALTER TABLE utterance RENAME TO message")
	i.follow()
	i.catchUp()
	i.source.Exec("ALTER TABLE message RENAME TO utterance; INSERT INTO utterance (id, conversation_id, role) VALUES ('m3', 'c1', 'user')")
	i.stopsWith("renamed again", "renamed to public.utterance")
	for n := range i.options.Mapping.Tables {
		if m := &i.options.Mapping.Tables[n]; m.Name == "message" {
			m.Name = "utterance"
		}
	}
	i.follow()
	i.catchUp()
	i.expect("the mapping says so, too", messages, 2)
	i.end()
}

// What was changed before a column got another name comes with the former name.
func TestAColumnIsRenamedWhileNobodyFollows(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk)
	i.follow()
	i.catchUp()
	i.end()
	i.source.Exec(`UPDATE message SET feedback = '"helpful"' WHERE id = 'm1'`)
	i.source.Exec(`ALTER TABLE message RENAME COLUMN feedback TO rating; UPDATE message SET rating = '"helpful"' WHERE id = 'm2'`)
	renamed := i.options.Mapping
	renamed.Tables = slices.Clone(renamed.Tables)
	for n := range renamed.Tables {
		if m := &renamed.Tables[n]; m.Name == "message" {
			m.Fields = slices.Clone(m.Fields)
			m.Field("feedback").Column = "rating"
		}
	}
	former := i.options.Mapping
	i.options.Mapping = renamed
	i.follow()
	i.stopsWith("the new mapping comes too early", "had no column rating yet", "former mapping")
	i.options.Mapping = former
	i.follow()
	i.stopsWith("the former mapping", "no longer has the column feedback")
	i.expect("what came before was taken", "SELECT sum(helpful) FROM messages FINAL", 1)
	i.options.Mapping = renamed
	i.follow()
	i.catchUp()
	i.expect("and now what came after", "SELECT sum(helpful) FROM messages FINAL", 2)
	i.end()
}

func TestATableThatWasNotPublishedIsCopiedAnew(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk)
	i.follow()
	i.catchUp()
	i.source.Exec("ALTER PUBLICATION orgstats DROP TABLE message")
	i.source.Exec("INSERT INTO message (id, conversation_id, role) VALUES ('lost', 'c1', 'user'); DELETE FROM message WHERE id = 'm1'")
	i.source.Await("it is said", func() bool { return strings.Contains(i.log.String(), "does not include table public.message") })
	i.source.Exec("ALTER PUBLICATION orgstats ADD TABLE message")
	i.source.Await("it is copied again", func() bool { return strings.Contains(i.log.String(), `a table is to be copied" table=public.message`) })
	i.catchUp()
	i.expect("what was not sent", messages+" WHERE id IN ('m2', 'lost')", 2)
	i.expect("and nothing else", messages, 2)
	i.end()
	i.source.Exec("ALTER PUBLICATION orgstats DROP TABLE message; DELETE FROM message WHERE id = 'm2'")
	i.follow()
	i.source.Await("it is published and copied again", func() bool {
		return strings.Count(i.log.String(), `a table is to be copied" table=public.message`) == 2
	})
	i.catchUp()
	i.expect("what was not sent while nobody followed", messages+" WHERE id = 'lost'", 1)
	i.expect("and nothing else", messages, 1)
	i.end()
	i.source.Exec("DROP PUBLICATION orgstats")
	i.follow()
	i.stopsWith("a log without its publication can't be read", "publication orgstats does not exist", "--resync all")
	i.source.Exec("DELETE FROM message")
	i.options.Resync = []string{"all"}
	i.follow()
	i.catchUp()
	i.expect("everything anew", messages, 0)
	i.end()
}

// Rows that are no records: known by their keys and reasons, and forgotten when they are right or gone.
func TestRejects(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk + `
		UPDATE message SET usage = '{"inputTokens": -3}' WHERE id = 'm1';
		INSERT INTO conversation (id, user_id) VALUES ('none', 'u');
		INSERT INTO knowledge_base_file (id, organization_id, knowledge_base_id, extract_input_tokens) VALUES ('f', 'o', 'k', -1), ('g', 'o', 'k', 5000000000)`)
	i.follow()
	i.catchUp()
	rejects := "SELECT count() FROM replication_rejects FINAL WHERE table_name != ''"
	i.expect("found by the copy", rejects, 4)
	i.expect("with a reason", rejects+" AND source_key = 'm1' AND field = 'usage.inputTokens' AND startsWith(reason, 'is -3') AND log_position > 0", 1)
	i.expect("what is wrong does not count", messages, 1)
	i.source.Exec(`UPDATE message SET usage = '{"inputTokens": 3}' WHERE id = 'm1'; DELETE FROM knowledge_base_file WHERE id = 'f'; UPDATE knowledge_base_file SET extract_input_tokens = 5 WHERE id = 'g'`)
	i.source.Exec(`UPDATE message SET role = '' WHERE id = 'm2'`)
	i.catchUp()
	i.expect("one is left, and one has come", rejects+" AND source_key IN ('none', 'm2')", 2)
	i.expect("no other", rejects, 2)
	i.expect("the version before counts", messages+" WHERE id = 'm2' AND role = 'user'", 1)
	i.source.Exec(`TRUNCATE message, conversation`)
	i.catchUp()
	i.expect("emptied", rejects, 0)
	i.end()
}

// Positions go on rising when another cluster, whose log is shorter, takes the place of the one that was replicated.
func TestAnotherClusterTakesOver(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk + "SELECT pg_switch_wal(); SELECT pg_switch_wal()")
	i.source.Exec("CREATE TABLE noise AS SELECT n, repeat('x', 100) FROM generate_series(1, 300000) AS n")
	i.follow()
	i.catchUp()
	i.end()
	other := pgtest.StartUnrelated(t)
	other.Exec(strings.ReplaceAll(talk, "'m2'", "'m3'"))
	i.options.URL, i.source = other.URL(), other
	i.follow()
	i.stopsWith("the other cluster", "another PostgreSQL cluster", "--resync all")
	before := i.one("SELECT max(log_position) FROM messages")
	i.options.Resync = []string{"all"}
	i.follow()
	i.source.Await("everything is copied again", func() bool { return strings.Count(i.log.String(), "all tables are copied") == 2 })
	i.options.Resync = nil
	i.expect("the rows of the other cluster", messages+fmt.Sprintf(" WHERE id IN ('m1', 'm3') AND log_position > %d", before), 2)
	i.expect("and no others", messages, 2)
	i.source.Exec("UPDATE message SET feedback = '\"helpful\"'; DELETE FROM conversation")
	i.catchUp()
	i.expect("it is followed", messages, 0)
	i.end()
}
