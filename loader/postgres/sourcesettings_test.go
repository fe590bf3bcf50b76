package postgres

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/orgstats/orgstats/loader/postgres/example"
	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/postgres/source"
)

// hostile are settings of a database or role that would break a session, each on its own.
var hostile = []string{
	"default_transaction_read_only = on", "default_transaction_isolation = serializable", "default_transaction_deferrable = on",
	"search_path = 'shadow', 'pg_catalog', 'public'", "standard_conforming_strings = off", "quote_all_identifiers = on", "extra_float_digits = -15",
	"statement_timeout = '1ms'", "lock_timeout = '1ms'", "idle_in_transaction_session_timeout = '1ms'", "idle_session_timeout = '1s'",
	"client_encoding = latin1", "datestyle = 'SQL, DMY'", "timezone = 'Asia/Kathmandu'", "bytea_output = escape", "intervalstyle = sql_standard",
	"row_security = on", "enable_tidscan = off", "array_nulls = off", "xmloption = document",
}

// shadow has functions and tables that hide those of pg_catalog from who looks there first.
const shadow = `CREATE SCHEMA shadow; GRANT USAGE ON SCHEMA shadow TO PUBLIC;
	CREATE TABLE shadow.pg_class (oid oid); CREATE TABLE shadow.pg_publication (pubname text); CREATE TABLE shadow.pg_replication_slots (slot_name text);
	CREATE FUNCTION shadow.quote_ident(text) RETURNS text LANGUAGE sql AS $$ SELECT 'nothing' $$;`

func TestSettingsOfTheSourceDoNotMatter(t *testing.T) {
	t.Parallel()
	i := install(t, strings.ReplaceAll(string(mapping.DefaultText), "agentId: agent_id\n", "agentId: agent\n"))
	i.source.Exec(shadow + "ALTER TABLE conversation ADD COLUMN agent numeric; ALTER TABLE conversation ALTER COLUMN agent TYPE float8")
	i.source.Exec("CREATE ROLE replicator LOGIN SUPERUSER PASSWORD 'replicator'")
	for _, setting := range hostile {
		i.source.Exec("ALTER ROLE replicator SET " + setting)
	}
	i.options.URL, i.options.watchInterval = i.as("replicator"), 3*time.Second // connections do nothing for longer than the role allows
	i.source.Exec(talk + "UPDATE conversation SET agent = 12345678901234")
	i.expectProblems("nothing is wrong")
	i.follow()
	i.catchUp()
	conn := i.source.Connect()
	i.source.Await("it has looked at the source a second time", func() bool {
		var n int
		err := conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'orgstats replicate' AND state_change < now() - interval '2 seconds'").Scan(&n)
		return err == nil && n > 0
	})
	i.source.Exec("INSERT INTO message (id, conversation_id, role) VALUES ('m3', 'c1', 'user'); UPDATE conversation SET user_id = 'v'")
	i.catchUp()
	i.expect("it is followed", messages+" WHERE user_id = 'v' AND agent_id = '12345678901234'", 3)
	i.end()
	if n := strings.Count(i.log.String(), "WARN"); n > 0 {
		t.Errorf("there are %d warnings", n)
	}
}

// One row with bytes that are no text holds up nothing else.
func TestInvalidTextIsRejected(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.ExecIn("postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C'")
	i.options.URL = strings.Replace(i.source.URL(), "/orgstats?", "/ascii?", 1)
	i.source.ExecIn("ascii", example.Schema+`INSERT INTO conversation VALUES ('1', 'org_1', E'user_\xff', NULL, '2026-01-01'), ('2', 'org_1', E'us\xc3\xa9r', NULL, '2026-01-01')`)
	i.expectProblems("nothing is wrong")
	i.follow()
	conversations := "SELECT count() FROM conversations FINAL"
	rejects := "SELECT count() FROM replication_rejects FINAL WHERE table_name = 'public.conversation' AND reason = 'is not valid UTF-8'"
	i.becomes("the row that is right", conversations+" WHERE id = '2' AND user_id = 'usér'", 1)
	i.becomes("the row that is wrong is known", rejects+" AND source_key = '1' AND field = 'userId'", 1)
	i.source.ExecIn("ascii", `INSERT INTO conversation VALUES (E'\xfe', 'org_1', 'u', NULL, '2026-01-01'), ('3', 'org_1', 'u', NULL, '2026-01-01');
		INSERT INTO organization_membership (id, organization_id, user_id, public_metadata) VALUES (E'm\x80', 'org_1', 'u', '{}'), ('n', 'org_1', 'v', E'{"k": "\x80"}');
		UPDATE conversation SET user_id = 'right' WHERE id = '1'`)
	i.becomes("what comes later", conversations, 3)
	i.becomes("one is right, one has come", rejects+" AND field = 'id'", 1)
	i.expect("no other conversation", rejects, 1)
	i.becomes("metadata", "SELECT count() FROM replication_rejects FINAL WHERE table_name = 'public.organization_membership' AND field = 'publicMetadata'", 1)
	i.end()
	if strings.Contains(i.log.String(), "WARN") {
		t.Error("there are warnings")
	}
}

// A role and a database may have few connections.
func TestLimitsOfConnections(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(`CREATE ROLE few LOGIN REPLICATION PASSWORD 'few' CONNECTION LIMIT 4; ALTER DATABASE orgstats CONNECTION LIMIT 4;
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO few;
		CREATE PUBLICATION orgstats FOR TABLE conversation, message, knowledge_base_file, organization_membership`)
	i.options.URL = i.as("few")
	for _, p := range i.expectProblems("few connections", "role few may have 4 connections", "database orgstats allows 4 connections") {
		i.source.Exec(p.Fix)
	}
	i.expectProblems("both are mended")
}

// A database that may only be read by default, as those are made for roles that only read.
func TestAReadOnlyDatabase(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(talk + "ALTER DATABASE orgstats SET default_transaction_read_only = on")
	i.expectProblems("nothing is wrong")
	i.follow()
	i.catchUp()
	i.expect("copied", messages, 2)
	i.end()
}

// A byte that the database's encoding gives no meaning, and names of tables and columns that are not ASCII.
func TestTextInOtherEncodings(t *testing.T) {
	t.Parallel()
	i := install(t, strings.Replace(strings.Replace(string(mapping.DefaultText), "table: conversation", "table: gespräch", 1), "userId: user_id", "userId: größe", 1))
	i.source.ExecIn("postgres", "CREATE DATABASE windows ENCODING 'WIN1252' TEMPLATE template0 LOCALE 'C'")
	i.source.ExecIn("postgres", "ALTER DATABASE windows SET client_encoding = 'UTF8'")
	i.options.URL = strings.Replace(i.source.URL(), "/orgstats?", "/windows?", 1)
	i.source.ExecIn("windows", example.Schema+`ALTER TABLE conversation RENAME TO "gespräch"; ALTER TABLE "gespräch" RENAME COLUMN user_id TO "größe"`)
	i.source.ExecIn("windows", `INSERT INTO "gespräch" VALUES ('1', 'org_1', 'usér€', NULL, '2026-01-01'), ('2', 'org_1', E'u\x81', NULL, '2026-01-01'), (E'\x8f', 'org_1', 'u', NULL, '2026-01-01')`)
	findings, err := Check(t.Context(), i.options)
	if err != nil || !slices.ContainsFunc(findings, func(f source.Finding) bool { return f.Severity == source.Note && strings.Contains(f.What, "WIN1252") }) {
		t.Errorf("the check does not name the encoding: %v, %v", findings, err)
	}
	i.follow()
	conversations := "SELECT count() FROM conversations FINAL WHERE user_id = 'usér€'"
	rejects := "SELECT count() FROM replication_rejects FINAL WHERE reason = 'is not valid UTF-8'"
	i.becomes("what can be converted is copied", conversations, 1)
	i.becomes("what can't is rejected", rejects+" AND source_key IN ('2', unhex('FF8F'))", 2)
	i.source.ExecIn("windows", `INSERT INTO "gespräch" VALUES ('3', 'org_1', 'usér€', NULL, '2026-01-01'), ('4', 'org_1', E'u\x8d', NULL, '2026-01-01'), (E'\x90', 'org_1', 'u', NULL, '2026-01-01');
		UPDATE "gespräch" SET größe = 'usér€' WHERE id = '2'; DELETE FROM "gespräch" WHERE id = E'\x8f'`)
	i.becomes("what can be converted is followed", conversations, 3)
	i.becomes("and what can't is rejected, by its own key", rejects+" AND source_key IN ('4', unhex('FF90'))", 2)
	i.becomes("what was rejected before is right, or gone", rejects, 2)
	i.end()
}

// What fails again and again is tried after pauses that grow: here a character of many bytes that UTF-8 does not have.
func TestPausesGrow(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.ExecIn("postgres", "CREATE DATABASE chinese ENCODING 'EUC_CN' TEMPLATE template0 LOCALE 'C'")
	i.source.ExecIn("postgres", "ALTER DATABASE chinese SET client_encoding = 'UTF8'")
	i.options.URL = strings.Replace(i.source.URL(), "/orgstats?", "/chinese?", 1)
	i.source.ExecIn("chinese", example.Schema)
	i.follow()
	i.source.ExecIn("chinese", `INSERT INTO conversation VALUES ('1', 'org_1', E'\xaa\xa1', NULL, '2026-01-01')`)
	// They may begin anew once: on a busy machine an attempt may last as long as one that got on.
	pause := regexp.MustCompile(`pause=\S+`)
	i.source.Await("the pauses double", func() bool {
		return strings.Contains(strings.Join(pause.FindAllString(i.log.String(), -1), " "), "pause=250ms pause=500ms pause=1s pause=2s")
	})
	i.end()
}

// Columns that PostgreSQL computes are not in its log.
func TestGeneratedColumns(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	for n, row := range []struct{ reason, sql, word string }{
		{
			"a total", "ALTER TABLE knowledge_base_file DROP COLUMN extract_total_tokens, ADD COLUMN extract_total_tokens bigint GENERATED ALWAYS AS (extract_input_tokens + extract_output_tokens) STORED",
			"leave extractTotalTokens out of the mapping",
		},
		{"a time", "ALTER TABLE message ADD COLUMN at timestamp, DROP COLUMN updated_at, ADD COLUMN updated_at timestamp GENERATED ALWAYS AS (at) STORED", "column updated_at of table public.message is a generated column"},
		{"an id", "ALTER TABLE conversation ADD COLUMN n bigint, DROP COLUMN id, ADD COLUMN id text COLLATE \"C\" GENERATED ALWAYS AS ('c' || n) STORED PRIMARY KEY", "column id of table public.conversation is a generated column"},
		{"a key that is not mapped", "ALTER TABLE organization_membership DROP COLUMN id, ADD COLUMN k text GENERATED ALWAYS AS (organization_id || user_id) STORED PRIMARY KEY", "column k of table public.organization_membership"},
	} {
		database := fmt.Sprintf("generated_%d", n)
		i.use(database)
		i.source.ExecIn(database, row.sql)
		i.expectProblems(row.reason, row.word)
		i.follow()
		i.stopsWith(row.reason+": it does not start", row.word, "generated column", "DROP EXPRESSION")
		i.source.ExecIn(database, "CREATE PUBLICATION orgstats FOR TABLE conversation, message, knowledge_base_file, organization_membership")
		i.expectProblems(row.reason+", with a publication", row.word)
	}
}

func TestWhatIsSaidOfGeneratedColumnsMends(t *testing.T) {
	t.Parallel()
	i := install(t, strings.Replace(string(mapping.DefaultText), "      extractTotalTokens: extract_total_tokens\n", "", 1))
	i.source.Exec(`ALTER TABLE knowledge_base_file DROP COLUMN extract_total_tokens,
		ADD COLUMN extract_total_tokens bigint GENERATED ALWAYS AS (extract_input_tokens + extract_output_tokens) STORED;
		ALTER TABLE message ADD COLUMN length int GENERATED ALWAYS AS (length(role)) STORED;
		INSERT INTO knowledge_base_file (id, organization_id, knowledge_base_id, extract_input_tokens, extract_output_tokens) VALUES ('f1', 'o', 'k', 10, 5)`)
	i.expectProblems("what is not mapped does not matter")
	i.follow()
	i.catchUp()
	i.source.Exec(talk + "INSERT INTO knowledge_base_file (id, organization_id, knowledge_base_id, extract_input_tokens, extract_output_tokens) VALUES ('f2', 'o', 'k', 20, 5)")
	i.catchUp()
	i.expect("totals are the sums", "SELECT sum(total_tokens) FROM kb_files FINAL", 40)
	i.expect("messages", messages, 2)
	i.end()
}
