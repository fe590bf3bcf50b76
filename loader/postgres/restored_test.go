package postgres

import "testing"

// A table changes and is as it was again. What was written meanwhile can't be read from the log, and is copied.
func TestTablesThatAreRestored(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, change, restore, word string }{
		{"a type", "ALTER TABLE message ALTER usage TYPE text", "ALTER TABLE message ALTER usage TYPE jsonb USING usage::jsonb", "had a type that does not fit"},
		{"a name of a column", "ALTER TABLE message RENAME COLUMN role TO kind", "ALTER TABLE message RENAME COLUMN kind TO role", "column role"},
		{"a column that goes and comes", "ALTER TABLE message DROP COLUMN feedback", "ALTER TABLE message ADD COLUMN feedback jsonb", "column feedback"},
		{
			"an identity that deletions need", "ALTER TABLE message ADD UNIQUE (created_at); ALTER TABLE message REPLICA IDENTITY USING INDEX message_created_at_key",
			"ALTER TABLE message REPLICA IDENTITY DEFAULT; ALTER TABLE message DROP CONSTRAINT message_created_at_key", "replica identity did not have",
		},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			i := install(t, "")
			i.source.Exec(talk + "UPDATE message SET created_at = now() + interval '1 hour' WHERE id = 'm2'")
			i.follow()
			i.catchUp()
			i.source.Exec(row.change)
			i.source.Exec("DELETE FROM message WHERE id = 'm1'")
			i.stopsWith(row.reason, row.word, "--resync public.message")
			i.source.Exec(row.restore)
			i.source.Exec("INSERT INTO message (id, conversation_id, role) VALUES ('m3', 'c1', 'user'), ('m4', 'c1', 'user')")
			i.expectProblems("the check meets what is in the log", "--resync public.message")
			i.follow()
			i.stopsWith("it is in the log for ever", row.word, "--resync public.message")
			i.options.Resync = []string{"message"}
			i.expectProblems("it will be passed over")
			i.follow()
			i.catchUp()
			i.expect("what is there", messages+" WHERE id IN ('m2', 'm3', 'm4')", 3)
			i.expect("and nothing else", messages, 3)
			i.source.Exec("DELETE FROM message WHERE id = 'm4'; UPDATE message SET usage = '{\"inputTokens\": 7}' WHERE id = 'm3'")
			i.catchUp()
			i.expect("it is followed", "SELECT sum(input_tokens) FROM messages FINAL", 7)
			i.expect("it is followed", messages, 2)
			i.options.Resync = nil
			i.end()
			i.expectProblems("all is well")
		})
	}
}

// A primary key is rebuilt. Rows that are inserted meanwhile come as a whole.
func TestAKeyIsRebuilt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ reason, drop, restore string }{
		{"dropped and added", "ALTER TABLE message DROP CONSTRAINT message_pkey", "ALTER TABLE message ADD PRIMARY KEY (id)"},
		{"no identity, and the default again", "ALTER TABLE message REPLICA IDENTITY NOTHING", "ALTER TABLE message REPLICA IDENTITY DEFAULT"},
	} {
		t.Run(row.reason, func(t *testing.T) {
			t.Parallel()
			i := install(t, "")
			i.source.Exec(talk)
			i.follow()
			i.catchUp()
			i.end()
			i.source.Exec(row.drop)
			i.source.Exec("INSERT INTO message (id, conversation_id, role) VALUES ('m3', 'c1', 'user')")
			i.source.Exec(row.restore)
			i.source.Exec("DELETE FROM message WHERE id = 'm1'; UPDATE message SET role = 'assistant' WHERE id = 'm3'")
			i.expectProblems("it can be followed")
			i.follow()
			i.catchUp()
			i.expect("all of it is taken", messages+" WHERE id = 'm2' OR id = 'm3' AND role = 'assistant'", 2)
			i.expect("and nothing else is there", messages, 2)
			i.end()
		})
	}
}
