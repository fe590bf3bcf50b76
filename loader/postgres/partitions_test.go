package postgres

import (
	"strings"
	"testing"
)

// monthly makes the table of messages one of partitions by month, one of which has partitions itself. There are 10, 20
// and 40 messages in the first three months.
const monthly = `
DROP TABLE message;
CREATE TABLE message (id text, conversation_id text, role text, parts jsonb, tool_invocations jsonb, usage jsonb, feedback jsonb,
    created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz, deleted_at timestamptz, PRIMARY KEY (id, created_at)) PARTITION BY RANGE (created_at);
CREATE TABLE message_01 PARTITION OF message FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE message_02 PARTITION OF message FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
CREATE TABLE message_03 PARTITION OF message FOR VALUES FROM ('2026-03-01') TO ('2026-04-01') PARTITION BY RANGE (created_at);
CREATE TABLE message_03a PARTITION OF message_03 FOR VALUES FROM ('2026-03-01') TO ('2026-03-15');
CREATE TABLE message_03b PARTITION OF message_03 FOR VALUES FROM ('2026-03-15') TO ('2026-04-01');
INSERT INTO conversation (id, organization_id, user_id, created_at) VALUES ('c1', 'org_1', 'user_1', '2026-01-01');
INSERT INTO message (id, conversation_id, role, created_at) SELECT 'j' || i, 'c1', 'user', '2026-01-10' FROM generate_series(1, 10) AS i;
INSERT INTO message (id, conversation_id, role, created_at) SELECT 'f' || i, 'c1', 'user', '2026-02-10' FROM generate_series(1, 20) AS i;
INSERT INTO message (id, conversation_id, role, created_at) SELECT 'm' || i, 'c1', 'user', '2026-03-10' FROM generate_series(1, 30) AS i;
INSERT INTO message (id, conversation_id, role, created_at) SELECT 'n' || i, 'c1', 'user', '2026-03-20' FROM generate_series(1, 10) AS i;`

// becomes waits until ClickHouse gives a number, while the replication goes on.
func (i *installation) becomes(reason, query string, want uint64) {
	i.Helper()
	var got uint64
	defer func() {
		if got != want {
			i.Errorf("%s: got %d, want %d by %s", reason, got, want, query)
		}
	}()
	i.source.Await(reason, func() bool {
		select {
		case err := <-i.ended:
			i.Fatalf("%s: the replication has ended: %v", reason, err)
		default:
		}
		got = i.one(query)
		return got == want
	})
}

// Rows come and go with partitions, of which the log of the table says nothing.
func TestPartitionsComeAndGo(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(monthly)
	i.follow()
	i.catchUp()
	i.expect("copied", messages, 70)
	for _, row := range []struct {
		reason, sql string
		want        uint64
	}{
		{"a partition is emptied", "TRUNCATE message_01", 60},
		{"one is dropped", "DROP TABLE message_02", 40},
		{"one that has partitions is detached", "ALTER TABLE message DETACH PARTITION message_03", 0},
		{"and attached again", "ALTER TABLE message ATTACH PARTITION message_03 FOR VALUES FROM ('2026-03-01') TO ('2026-04-01')", 40},
		{"a partition of a partition is emptied", "TRUNCATE message_03b", 30},
		{"one is filled before it is attached, in one transaction", `CREATE TABLE message_04 (LIKE message INCLUDING ALL);
			INSERT INTO message_04 (id, conversation_id, role, created_at) VALUES ('a1', 'c1', 'user', '2026-04-02'), ('a2', 'c1', 'user', '2026-04-03');
			ALTER TABLE message ATTACH PARTITION message_04 FOR VALUES FROM ('2026-04-01') TO ('2026-05-01')`, 32},
		{"one is detached while others write", "ALTER TABLE message DETACH PARTITION message_04 CONCURRENTLY", 30},
		{"all are emptied at once", "TRUNCATE message", 0},
		{"one moves under another", "DROP TABLE message_03b; ALTER TABLE message_04 RENAME TO message_03b; ALTER TABLE message_03b DROP CONSTRAINT message_04_created_at_check; UPDATE message_03b SET created_at = '2026-03-20'; " +
			"ALTER TABLE message_03 ATTACH PARTITION message_03b FOR VALUES FROM ('2026-03-15') TO ('2026-04-01')", 2},
	} {
		i.source.Exec(row.sql)
		i.becomes(row.reason, messages, row.want)
	}
	i.catchUp()
	i.end()
	i.source.Exec("TRUNCATE message_03b")
	i.follow()
	i.becomes("one is emptied while nobody follows", messages, 0)
	i.catchUp()
	i.end()
}

// A partition that is made as one has all of its rows in the log.
func TestNewPartitionsAreNotCopied(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(monthly)
	i.follow()
	i.catchUp()
	i.source.Exec(`CREATE TABLE message_05 PARTITION OF message FOR VALUES FROM ('2026-05-01') TO ('2026-06-01')`)
	i.source.Exec(`INSERT INTO message (id, conversation_id, role, created_at) VALUES ('y1', 'c1', 'user', '2026-05-02')`)
	i.catchUp()
	i.expect("followed", messages, 71)
	i.end()
	i.source.Exec(`CREATE TABLE message_06 PARTITION OF message FOR VALUES FROM ('2026-06-01') TO ('2026-07-01')`)
	i.source.Exec(`INSERT INTO message (id, conversation_id, role, created_at) VALUES ('z1', 'c1', 'user', '2026-06-02')`)
	i.follow()
	i.catchUp()
	i.expect("and made while nobody followed", messages, 72)
	i.expect("nothing was copied but at first", "SELECT copied FROM replication_tables FINAL WHERE table_name = 'public.message'", 70)
	i.end()
	if strings.Contains(i.log.String(), `"a table is to be copied" table=public.message`) {
		t.Error("the messages were copied again")
	}
}

// Rows of some partitions can't be read or followed.
func TestPartitionsThatCannotBeFollowed(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(monthly + `
		CREATE UNLOGGED TABLE message_04 PARTITION OF message FOR VALUES FROM ('2026-04-01') TO ('2026-05-01');
		CREATE ROLE reader LOGIN REPLICATION PASSWORD 'reader';
		GRANT SELECT ON conversation, message, knowledge_base_file, organization_membership TO reader;
		GRANT SELECT ON message_01, message_02, message_03, message_03a, message_04 TO reader;
		CREATE PUBLICATION orgstats FOR TABLE conversation, message, knowledge_base_file, organization_membership WITH (publish_via_partition_root = true)`)
	i.options.URL = i.as("reader")
	i.expectProblems("one is not logged, and one may not be read", "partition public.message_04 of table public.message is unlogged", "may not read partition public.message_03b")
	i.source.Exec("ALTER TABLE message_04 SET LOGGED; GRANT SELECT ON message_03b TO reader")
	i.expectProblems("both are mended")
	i.follow()
	i.catchUp()
	i.expect("copied", messages, 70)
	i.source.Exec(`CREATE UNLOGGED TABLE message_05 PARTITION OF message FOR VALUES FROM ('2026-05-01') TO ('2026-06-01')`)
	i.stopsWith("one that is not logged comes while it follows", "message_05", "is unlogged", "SET LOGGED")
}

// Children by inheritance have rows and changes of their own.
func TestTablesWithChildrenAreRefused(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk + `
		CREATE TABLE message_archive () INHERITS (message);
		CREATE TABLE message_old () INHERITS (message_archive);
		INSERT INTO message_old (id, conversation_id, role) VALUES ('m3', 'c1', 'user')`)
	i.expectProblems("there are children", "children by inheritance (public.message_archive, public.message_old)")
	i.follow()
	i.stopsWith("and it does not start", "public.message_archive", "NO INHERIT")
	i.source.Exec("ALTER TABLE message_archive NO INHERIT message")
	i.follow()
	i.catchUp()
	i.expect("its own rows", messages, 2)
	i.source.Exec("ALTER TABLE message_archive INHERIT message")
	i.stopsWith("a child comes while it follows", "public.message_archive", "NO INHERIT")
}
