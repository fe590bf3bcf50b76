package postgres

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/postgres/source"
)

// as returns the source's URL for another role.
func (i *installation) as(role string) string {
	u, err := url.Parse(i.source.URL())
	if err != nil {
		i.Fatal(err)
	}
	u.User = url.UserPassword(role, role)
	return u.String()
}

// problems returns what a check finds.
func (i *installation) problems() (all []source.Problem) {
	i.Helper()
	findings, err := Check(i.Context(), i.options)
	if err != nil {
		i.Fatal(err)
	}
	for _, f := range findings {
		if f.Severity == source.Failed {
			all = append(all, f.Problem)
		}
	}
	return all
}

// expectProblems looks for a word of each problem, and tells those that are one too many.
func (i *installation) expectProblems(reason string, words ...string) []source.Problem {
	i.Helper()
	found := i.problems()
	for _, word := range words {
		if !slices.ContainsFunc(found, func(p source.Problem) bool { return strings.Contains(p.Error(), word) }) {
			i.Errorf("%s: nothing is said of %q: %v", reason, word, found)
		}
	}
	if len(found) != len(words) {
		i.Errorf("%s: %d problems, want %d: %v", reason, len(found), len(words), found)
	}
	return found
}

// What the check says mends each problem, does.
func TestProblemsAreMendedByWhatIsSaid(t *testing.T) {
	t.Parallel()
	i := install(t, "", "max_replication_slots=2")
	i.source.Exec(`CREATE ROLE poor LOGIN PASSWORD 'poor';
		SELECT pg_create_physical_replication_slot('other');
		ALTER TABLE message DROP CONSTRAINT message_pkey;
		ALTER TABLE knowledge_base_file SET UNLOGGED`)
	i.options.URL = i.as("poor")
	found := i.expectProblems("a role that may nothing",
		"REPLICATION", "max_replication_slots", "has no replica identity", "GRANT SELECT ON \"public\".\"conversation\"", "GRANT SELECT ON \"public\".\"message\"",
		"GRANT SELECT ON \"public\".\"knowledge_base_file\"", "GRANT SELECT ON \"public\".\"organization_membership\"", "SET LOGGED")
	for _, p := range found {
		mend, _, _ := strings.Cut(p.Fix, "--")
		mend = strings.NewReplacer("current_user", "poor", "(…)", "(id)").Replace(mend)
		if strings.Contains(mend, "SYSTEM") {
			mend = "SELECT pg_drop_replication_slot('other')" // the other way that is said
		}
		i.source.Exec(mend)
	}
	found = i.expectProblems("a role that may replicate, and owns nothing", "CREATE PUBLICATION")
	mend, _, _ := strings.Cut(found[0].Fix, "--")
	i.source.Exec(mend)
	i.expectProblems("all is mended")
	i.follow()
	i.catchUp()
	i.expectProblems("while it runs")
	i.end()
}

func TestMappingAndPublicationAreChecked(t *testing.T) {
	t.Parallel()
	i := install(t, "")
	i.source.Exec(`ALTER TABLE message ALTER COLUMN usage TYPE text, DROP COLUMN feedback, ALTER COLUMN role TYPE text[] USING ARRAY[role];
		ALTER TABLE conversation RENAME TO talk;
		ALTER TABLE knowledge_base_file ADD UNIQUE (knowledge_base_id), ALTER COLUMN knowledge_base_id SET NOT NULL;
		ALTER TABLE knowledge_base_file REPLICA IDENTITY USING INDEX knowledge_base_file_knowledge_base_id_key;
		CREATE VIEW nothing AS SELECT 1 AS id, 'o' AS organization_id, 'u' AS user_id, now() AS created_at`)
	i.expectProblems("the mapping's tables have changed", "table public.conversation does not exist", "column usage", "column role", "no column feedback", "column id of table public.knowledge_base_file, the id")
	view, err := mapping.Parse("m", []byte("tables: [{table: nothing, record: conversation, fields: {id: id, organizationId: organization_id, userId: user_id, createdAt: created_at}}]"))
	if err != nil {
		t.Fatal(err)
	}
	i.options.Mapping = view
	i.expectProblems("a view", "is not a table", "no replica identity")

	i.options.Mapping = mapping.Default()
	i.source.Exec(`ALTER TABLE talk RENAME TO conversation;
		ALTER TABLE message ALTER COLUMN usage TYPE jsonb USING NULL, ADD COLUMN feedback jsonb, ALTER COLUMN role TYPE text USING 'user';
		ALTER TABLE knowledge_base_file REPLICA IDENTITY DEFAULT;
		CREATE PUBLICATION orgstats FOR TABLE conversation (id, user_id), message WHERE (role = 'user'), knowledge_base_file WITH (publish = 'insert');
		CREATE ROLE other LOGIN REPLICATION PASSWORD 'other';
		GRANT SELECT ON ALL TABLES IN SCHEMA public TO other`)
	i.options.URL = i.as("other")
	i.expectProblems("the publication sends too little", "does not publish update, delete, truncate", "column organization_id", "column agent_id", "column created_at",
		"column updated_at", "column deleted_at", "WHERE", "does not include table public.organization_membership")
}

func TestTheServerIsChecked(t *testing.T) {
	t.Parallel()
	i := install(t, "", "wal_level=replica")
	i.expectProblems("a log without rows", "wal_level is replica")
	i.follow()
	if err := i.wait(); err == nil || !strings.Contains(err.Error(), "ALTER SYSTEM SET wal_level = logical") {
		t.Errorf("started all the same: %v", err)
	}
	i.source.Stop()
	i.expectProblems("nobody is there", "reach PostgreSQL")
	i.options.URL = strings.Replace(i.source.URL(), "orgstats?", "nowhere?", 1)
	i.source.Start()
	i.follow()
	if err := i.wait(); err == nil || !strings.Contains(err.Error(), "nowhere") || strings.Contains(err.Error(), i.source.Password()) {
		t.Errorf("a database that is not there: %v", err)
	}
}
