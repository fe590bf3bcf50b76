package postgres

import (
	"fmt"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

const (
	rejoined = `ALTER TABLE organization_membership DROP CONSTRAINT organization_membership_organization_id_user_id_key;
		CREATE UNIQUE INDEX ON organization_membership (organization_id, user_id) WHERE deleted_at IS NULL;`
	memberships = `INSERT INTO organization_membership (id, organization_id, user_id, public_metadata, updated_at, deleted_at) VALUES
		('old', 'org_1', 'user_1', '{"team": "red"}', '2026-01-01', '2026-01-01'), ('new', 'org_1', 'user_1', '{"team": "blue"}', '2026-02-01', NULL);`

	blue = `SELECT count() FROM members FINAL WHERE org_id = 'org_1' AND user_id = 'user_1' AND has(metadata_pair_values, 'blue')`
	none = `SELECT toUInt64(count() = 0) FROM members FINAL`
)

// A membership that was deleted softly stands beside the one that followed it.
func TestTwoMembershipsOfOneUser(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(rejoined + memberships)
	i.expectProblems("it can be told apart")
	i.follow()
	i.catchUp()
	i.expect("copied", blue, 1)
	for _, row := range []struct {
		reason, sql, query string
	}{
		{"the old one changes", "UPDATE organization_membership SET updated_at = now() WHERE id = 'old'", blue},
		{"both change, the old one last", "UPDATE organization_membership SET updated_at = now() WHERE id = 'new'; UPDATE organization_membership SET updated_at = now() WHERE id = 'old'", blue},
		{"the old one goes", "DELETE FROM organization_membership WHERE id = 'old'", blue},
		{"it comes again", `INSERT INTO organization_membership VALUES ('old', 'org_1', 'user_1', '{"team": "red"}', now(), now(), now())`, blue},
		{"the old one moves to another user", "UPDATE organization_membership SET user_id = 'user_2' WHERE id = 'old'", blue},
		{"and back", "UPDATE organization_membership SET user_id = 'user_1' WHERE id = 'old'", blue},
		{"the new one is deleted softly", "UPDATE organization_membership SET deleted_at = now() WHERE id = 'new'", none},
		{"and is not deleted any more", "UPDATE organization_membership SET deleted_at = NULL, updated_at = now() WHERE id = 'new'", blue},
		{"the new one goes", "DELETE FROM organization_membership WHERE id = 'new'", none},
		{"and comes again, and the old one goes, at once", `INSERT INTO organization_membership (id, organization_id, user_id, public_metadata) VALUES ('new', 'org_1', 'user_1', '{"team": "blue"}'); DELETE FROM organization_membership WHERE id = 'old'`, blue},
		{"all go", "DELETE FROM organization_membership", none},
		{"all come", memberships, blue},
	} {
		i.source.Exec(row.sql)
		i.catchUp()
		i.expect(row.reason, row.query, 1)
	}
	i.end()
	i.options.Resync = []string{"organization_membership"}
	i.source.Exec("UPDATE organization_membership SET updated_at = now() WHERE id = 'old'")
	i.follow()
	i.catchUp()
	i.expect("copied again", blue, 1)
	i.end()
}

// An index that kept memberships apart goes while they are followed.
func TestAnIndexGoesWhileItIsFollowed(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.follow()
	i.catchUp()
	i.source.Exec(rejoined)
	i.source.Exec(memberships)
	i.source.Exec("UPDATE organization_membership SET updated_at = now() WHERE id = 'old'")
	i.becomes("it is noticed", blue, 1)
	i.source.Exec("ALTER TABLE knowledge_base_file DROP CONSTRAINT knowledge_base_file_pkey, ADD PRIMARY KEY (organization_id, id)")
	i.stopsWith("an id is not unique any more", "knowledge_base_file may have the same id", "CREATE UNIQUE INDEX")
}

// Conversations that are told apart by organization and id together would take each other's messages.
func TestIdsThatAreNotUniqueAreRefused(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	for n, row := range []struct{ reason, sql, word string }{
		{"a key of organization and id", "ALTER TABLE conversation DROP CONSTRAINT conversation_pkey, ADD PRIMARY KEY (organization_id, id)", "public.conversation may have the same id"},
		{"an index with a condition", "ALTER TABLE message DROP CONSTRAINT message_pkey, ADD PRIMARY KEY (id, created_at); CREATE UNIQUE INDEX ON message (id) WHERE deleted_at IS NULL", "public.message may have the same id"},
		{"an index over an expression", "ALTER TABLE message DROP CONSTRAINT message_pkey, ADD PRIMARY KEY (id, created_at); CREATE UNIQUE INDEX ON message (lower(id))", "public.message may have the same id"},
		{"partitions by organization", `DROP TABLE conversation; CREATE TABLE conversation (id text, organization_id text NOT NULL, user_id text, agent_id text, created_at timestamptz NOT NULL,
			updated_at timestamptz, deleted_at timestamptz, PRIMARY KEY (organization_id, id)) PARTITION BY HASH (organization_id)`, "two organizations may have a conversation of the same id"},
	} {
		database := fmt.Sprintf("ids_%d", n)
		i.use(database)
		i.source.ExecIn(database, row.sql)
		i.expectProblems(row.reason, row.word)
		i.follow()
		i.stopsWith(row.reason, row.word)
	}
}

// Two partitions have rows with one id.
func TestTwoPartitionsHaveOneID(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(monthly)
	i.source.Exec(`INSERT INTO conversation (id, organization_id, user_id, created_at) VALUES ('c2', 'org_2', 'user_1', '2026-01-01');
		INSERT INTO message (id, conversation_id, role, created_at) VALUES ('twin', 'c1', 'user', '2026-01-10'), ('twin', 'c1', 'user', '2026-02-10'),
			('two', 'c1', 'user', '2026-01-10'), ('two', 'c2', 'user', '2026-02-10')`)
	findings, err := Check(t.Context(), i.options)
	if err != nil {
		t.Fatal(err)
	}
	noted := false
	for _, f := range findings {
		noted = noted || f.Severity == source.Note && strings.Contains(f.What, "id of table public.message")
	}
	if !noted {
		t.Errorf("the check says nothing of it: %v", findings)
	}
	i.follow()
	i.catchUp()
	twin := "SELECT count() FROM messages FINAL WHERE id = 'twin' AND org_id = 'org_1'"
	two := "SELECT count() FROM messages FINAL WHERE id = 'two'"
	rejects := "SELECT count() FROM replication_rejects FINAL WHERE source_key = 'two' AND field = 'id'"
	i.expect("one record of two rows", twin, 1)
	i.expect("none of two conversations", two, 0)
	i.expect("which is said", rejects, 1)
	i.source.Exec("DELETE FROM message WHERE id = 'twin' AND created_at = '2026-02-10'; DELETE FROM message WHERE id = 'two' AND created_at = '2026-02-10'")
	i.catchUp()
	i.expect("a row goes, another still gives the record", twin, 1)
	i.expect("and now it is known which one", two+" AND org_id = 'org_1'", 1)
	i.expect("nothing is wrong any more", rejects, 0)
	i.source.Exec("INSERT INTO message (id, conversation_id, role, created_at) VALUES ('twin', 'c1', 'user', '2026-03-10'), ('two', 'c2', 'user', '2026-03-10')")
	i.catchUp()
	i.expect("one of two rows that came later", twin, 1)
	i.expect("none of two conversations that came later", two, 0)
	i.source.Exec("DELETE FROM message WHERE id = 'twin' AND created_at = '2026-03-10'; UPDATE message SET updated_at = now() WHERE id = 'twin'; DELETE FROM message WHERE id = 'two' AND created_at = '2026-01-10'")
	i.catchUp()
	i.expect("the later one goes", twin, 1)
	i.expect("and the earlier one", two+" AND org_id = 'org_2'", 1)
	i.source.Exec("DELETE FROM message WHERE id = 'twin'")
	i.catchUp()
	i.expect("all go", twin, 0)
	i.end()
}
