package postgres

import (
	"testing"
)

// Tables of another platform: other names, types of keys, and forms of tables.
const otherTables = `
CREATE SCHEMA crm;
CREATE DOMAIN crm.key AS bigint CHECK (VALUE > 0);
CREATE TYPE crm.speaker AS ENUM ('user', 'assistant');
CREATE TABLE crm."Talk" (no crm.key PRIMARY KEY, doc jsonb NOT NULL, who uuid, made timestamp NOT NULL, gone date);
CREATE TABLE crm.line (talk bigint, no uuid, speaker crm.speaker, tokens_in int, tokens_out numeric(12,0), body json, rating varchar, made timestamptz NOT NULL,
    PRIMARY KEY (no, made)) PARTITION BY RANGE (made);
CREATE TABLE crm.line_2025 PARTITION OF crm.line FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE crm.line_rest PARTITION OF crm.line DEFAULT;
CREATE TABLE crm.file (id char(8), kb int, size_in int, made timestamptz NOT NULL);
ALTER TABLE crm.file REPLICA IDENTITY FULL;
CREATE TABLE crm.person (team int, login text, about jsonb, changed timestamptz, PRIMARY KEY (team, login));`

const otherMapping = `
tables:
  - table: crm.Talk
    record: conversation
    fields: {id: no, organizationId: {constant: acme}, userId: who, agentId: {column: doc, path: agent.name}, createdAt: made, deletedAt: gone}
  - table: crm.line
    record: message
    fields: {id: no, conversationId: talk, role: speaker, inputTokens: tokens_in, outputTokens: tokens_out, parts: {column: body, path: [parts]}, feedback: rating, createdAt: made}
  - table: crm.file
    record: kbFile
    fields: {id: id, organizationId: {constant: acme}, knowledgeBaseId: kb, extractInputTokens: size_in, createdAt: made}
  - table: crm.person
    record: member
    fields: {organizationId: {constant: acme}, userId: login, publicMetadata: about, updatedAt: changed}
`

const otherRows = `
INSERT INTO crm."Talk" SELECT n, jsonb_build_object('agent', jsonb_build_object('name', 'agent ' || n % 2)), gen_random_uuid(), '2025-03-01 10:00:00.5'
    FROM generate_series(1, 3) AS n;
INSERT INTO crm.line SELECT n % 3 + 1, ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 'user', n, 1,
    json_build_object('parts', json_build_array(json_build_object('type', 'tool-' || n), (SELECT string_agg(md5(i::text), '') FROM generate_series(1, 400) AS i))),
    'helpful', timestamptz '2025-12-30 12:00:00+00' + n * interval '1 hour' FROM generate_series(1, 48) AS n;
INSERT INTO crm.file SELECT 'f' || n, 7, 100, '2025-05-05+00' FROM generate_series(1, 4) AS n;
INSERT INTO crm.person SELECT 1, 'p' || n, jsonb_build_object('n', n), '2025-01-01+00' FROM generate_series(1, 4) AS n;`

func TestTablesOfOtherPlatforms(t *testing.T) {
	t.Parallel()
	i := install(t, otherMapping)
	i.source.Exec(otherTables)
	i.source.Exec(otherRows)
	i.follow()
	i.catchUp()
	for _, row := range []struct {
		reason, query string
		want          uint64
	}{
		{"keys may be numbers, agents lie in JSON, timestamps are UTC", "SELECT count() FROM conversations FINAL WHERE id IN ('1', '2', '3') AND org_id = 'acme' AND startsWith(agent_id, 'agent ') AND created_at = '2025-03-01 10:00:00.500'", 3},
		{"rows of every partition, with tokens that come one by one", "SELECT sum(input_tokens) + sum(output_tokens) + sum(total_tokens) FROM messages FINAL", 2 * (48*49/2 + 48)},
		{"parts lie in JSON", "SELECT sum(tool_calls) FROM messages FINAL", 48},
		{"a word is feedback, too", "SELECT sum(helpful) FROM messages FINAL", 48},
		{"a table without a key is known by whole rows, and ids are not filled up", "SELECT count() FROM kb_files FINAL WHERE id IN ('f1', 'f2', 'f3', 'f4')", 4},
		{"a key of two columns", `SELECT count() FROM members FINAL WHERE source_key = '["1","p2"]'`, 1},
		{"nothing is wrong with any", "SELECT count() FROM replication_rejects FINAL", 0},
	} {
		i.expect(row.reason, row.query, row.want)
	}
	i.source.Exec(`
UPDATE crm.line SET tokens_in = tokens_in + 1000 WHERE no = '00000000-0000-0000-0000-000000000008';
UPDATE crm.line SET made = '2031-01-01+00' WHERE no = '00000000-0000-0000-0000-000000000001';
DELETE FROM crm.line WHERE no = '00000000-0000-0000-0000-000000000048';
UPDATE crm."Talk" SET gone = '2026-01-01' WHERE no = 1;
UPDATE crm."Talk" SET no = 77 WHERE no = 2;
UPDATE crm.file SET id = 'g1' WHERE id = 'f1';
DELETE FROM crm.file WHERE id = 'f2';
UPDATE crm.person SET login = 'q1' WHERE login = 'p1';
DELETE FROM crm.person WHERE login = 'p2';`)
	i.catchUp()
	for _, row := range []struct {
		reason, query string
		want          uint64
	}{
		{"an update leaves large values where they are", "SELECT sum(input_tokens + tool_calls) FROM messages FINAL WHERE id = '00000000-0000-0000-0000-000000000008'", 1009},
		{"a row moves to another partition, with its large values", "SELECT sum(tool_calls) FROM (SELECT * FROM messages ORDER BY version DESC LIMIT 1 BY org_id, created_at, id) WHERE created_at = '2031-01-01' AND conversation_id != ''", 1},
		{"a row of a partition is deleted", "SELECT count() FROM messages FINAL WHERE id = '00000000-0000-0000-0000-000000000048'", 0},
		{"a date deletes", "SELECT count() FROM conversations FINAL WHERE id = '1'", 0},
		{"another key is another conversation", "SELECT count() FROM conversations FINAL WHERE id IN ('2', '77')", 1},
		{"and its messages wait for the former one", "SELECT count() FROM waiting_messages", 0},
		{"rows that are known as a whole", "SELECT count() FROM kb_files FINAL WHERE id IN ('g1', 'f3', 'f4')", 3},
		{"no more of them", "SELECT count() FROM kb_files FINAL", 3},
		{"members move and go", "SELECT count() FROM members FINAL WHERE user_id IN ('q1', 'p3', 'p4')", 3},
		{"no more of them", "SELECT count() FROM members FINAL", 3},
	} {
		i.expect(row.reason, row.query, row.want)
	}
	i.source.Exec(`TRUNCATE crm.line, crm.person`)
	i.catchUp()
	i.expect("tables are emptied", "SELECT count() FROM messages FINAL", 0)
	i.expect("tables are emptied", "SELECT count() FROM members FINAL", 0)
	i.expect("others are not", "SELECT count() FROM kb_files FINAL", 3)
	i.end()
}

// A number that is none is no id, and nobody's name.
func TestNumbersThatAreNone(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk + `ALTER TABLE conversation ALTER agent_id TYPE numeric USING NULL; ALTER TABLE conversation ALTER user_id TYPE float8 USING 7;
		INSERT INTO conversation VALUES ('c2', 'o', 8, 'NaN', now()), ('c3', 'o', 'Infinity', 1, now()), ('c4', 'o', 9, NULL, now())`)
	i.follow()
	i.catchUp()
	i.source.Exec(`INSERT INTO conversation VALUES ('c5', 'o', '-Infinity', 1, now()), ('c6', 'o', 10, 11, now()); UPDATE conversation SET agent_id = 'NaN' WHERE id = 'c4'`)
	i.catchUp()
	i.expect("what is right", "SELECT count() FROM conversations FINAL WHERE id IN ('c1', 'c4', 'c6') AND agent_id IN ('', '11')", 3)
	i.expect("nothing else", "SELECT count() FROM conversations FINAL", 3)
	i.expect("no agent", "SELECT count() FROM replication_rejects FINAL WHERE field = 'agentId' AND reason = 'is NaN, want a number'", 2)
	i.expect("no user", "SELECT count() FROM replication_rejects FINAL WHERE field = 'userId' AND endsWith(reason, 'Infinity, want a number')", 2)
	i.end()
}

// Ids of a type that an extension brings, whose operators are not where the sessions look for them.
func TestIdsOfAnExtension(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(`CREATE EXTENSION citext; ALTER TABLE message ALTER id TYPE citext; ALTER TABLE organization_membership ALTER user_id TYPE citext;
		ALTER TABLE organization_membership DROP CONSTRAINT organization_membership_organization_id_user_id_key;` + talk + memberships + `
		INSERT INTO message (id, conversation_id, role) VALUES ('Bad', 'c1', '')`)
	i.follow()
	i.catchUp()
	i.expect("asked for by its key", "SELECT count() FROM replication_rejects FINAL WHERE source_key = 'Bad'", 1)
	i.source.Exec("UPDATE message SET role = 'user' WHERE id = 'bad'; UPDATE organization_membership SET updated_at = now() WHERE id = 'old'")
	i.catchUp()
	i.expect("asked for by its user", blue, 1)
	i.expect("mended", messages+" WHERE id = 'Bad'", 1)
	i.end()
}
