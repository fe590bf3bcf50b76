package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/mapping"
)

// Severity says how a finding of a check is to be understood.
type Severity int

const (
	OK     Severity = iota // it is as it must be
	Note                   // it works, and there is something to know about it
	Failed                 // replication can't work like this
)

// Finding is what was checked and the result.
type Finding struct {
	Severity Severity
	What     string  // "" of a check that failed,
	Problem  Problem // which has this
}

// Findings are the results of checks, in their order.
type Findings []Finding

// Pass adds a check that passed.
func (f *Findings) Pass(format string, arguments ...any) {
	*f = append(*f, Finding{What: fmt.Sprintf(format, arguments...)})
}

// Note adds something to know.
func (f *Findings) Note(format string, arguments ...any) {
	*f = append(*f, Finding{Severity: Note, What: fmt.Sprintf(format, arguments...)})
}

// Fail adds a check that failed.
func (f *Findings) Fail(fix, format string, arguments ...any) {
	f.Add(problemf(fix, format, arguments...))
}

// Add adds a check that failed with a problem.
func (f *Findings) Add(p Problem) { *f = append(*f, Finding{Severity: Failed, Problem: p}) }

// Verdict adds one failure for each problem, or a check that passed if there are none.
func (f *Findings) Verdict(what string, problems []Problem) {
	if len(problems) == 0 {
		f.Pass("%s", what)
	}
	for _, p := range problems {
		f.Add(p)
	}
}

// Preflight checks everything in PostgreSQL that replication needs, and changes nothing.
type Preflight struct {
	URL, Slot, Publication string
	Mapping                mapping.Mapping
	Readers                int  // connections that read rows of a copy
	StartOver              bool // everything is copied anew, whatever became of the slot

	Catalog  *Catalog
	Tables   []*Table // the mapped tables, if all are as they must be
	Found    *Slot    // the slot; nil if there is none
	Findings Findings
}

// Run carries out all checks on a connection. The error is a failure of PostgreSQL to answer.
func (c *Preflight) Run(ctx context.Context, conn *pgx.Conn) error {
	c.Catalog = NewCatalog(conn)
	for _, step := range []func(context.Context) error{c.server, c.role, c.room, c.tables, c.slot} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

const leastVersion = 140000

// server checks the server and how it is set up.
func (c *Preflight) server(ctx context.Context) error {
	var version, level, encoding string
	var number int
	var standby bool
	err := c.Catalog.ask(ctx, "the server's settings", `
SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_setting('wal_level'),
    current_setting('server_encoding'), pg_is_in_recovery()`, nil,
		&version, &number, &level, &encoding, &standby)
	if err != nil {
		return err
	}
	switch {
	case number < leastVersion:
		c.Findings.Fail("upgrade the server", "PostgreSQL %s is not supported: 14 or later is required", version)
	case standby:
		c.Findings.Fail("name the primary in the source's URL", "PostgreSQL is a standby: only a primary can be replicated")
	default:
		c.Findings.Pass("PostgreSQL %s", version)
	}
	switch {
	case encoding == "UTF8":
	case encoding == sqlASCII || charmaps[encoding] != nil:
		c.Findings.Note("the database's encoding is %s: rows whose text can't be converted to UTF-8 are rejected", encoding)
	default:
		c.Findings.Note("the database's encoding is %s: PostgreSQL converts it, and stops at the first row whose text can't be converted to UTF-8", encoding)
	}
	if level != "logical" {
		c.Findings.Fail("ALTER SYSTEM SET wal_level = logical;  -- and restart PostgreSQL", "wal_level is %s: the WAL has no logical changes", level)
		return nil
	}
	c.Findings.Pass("wal_level is logical")
	return nil
}

// role checks that the role may replicate.
func (c *Preflight) role(ctx context.Context) error {
	var name string
	var allowed bool
	err := c.Catalog.ask(ctx, "the role", `
SELECT rolname::text, rolsuper OR rolreplication OR EXISTS
(
    SELECT FROM pg_roles AS managed
    WHERE managed.rolname IN ('rds_replication', 'azure_pg_admin') AND pg_has_role(r.oid, managed.oid, 'MEMBER')
)
FROM pg_roles AS r
WHERE rolname = current_user`, nil, &name, &allowed)
	if err != nil {
		return err
	}
	if !allowed {
		c.Findings.Fail("ALTER ROLE "+Identifier(name)+" REPLICATION;  -- as a superuser", "role %s may not replicate", name)
		return nil
	}
	wal, err := ConnectWAL(ctx, c.URL)
	if err != nil {
		c.Findings.Fail(`allow the connection in pg_hba.conf (a line for the database, not one for "replication")`, "%v", err)
		return nil
	}
	CloseQuietly(wal)
	c.Findings.Pass("role %s may replicate", name)
	return nil
}

// room checks that there are slots and senders left: one to follow, and one more while tables are copied. Those of this
// replication do not count: an earlier run may just have ended.
func (c *Preflight) room(ctx context.Context) error {
	var slots, mostSlots, senders, mostSenders int
	err := c.Catalog.ask(ctx, "slots", `
SELECT
    (SELECT count(*) FROM pg_replication_slots WHERE slot_name != $1), current_setting('max_replication_slots')::int,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name != $2), current_setting('max_wal_senders')::int`,
		[]any{c.Slot, applicationName}, &slots, &mostSlots, &senders, &mostSenders)
	if err != nil {
		return err
	}
	for _, r := range []struct {
		what       string
		used, most int
	}{
		{"max_replication_slots", slots, mostSlots},
		{"max_wal_senders", senders, mostSenders},
	} {
		if r.most-r.used < 2 {
			c.Findings.Fail(fmt.Sprintf("ALTER SYSTEM SET %s = %d;  -- and restart PostgreSQL, or drop slots that nobody uses", r.what, r.used+2),
				"%s is %d and %d are used; two must be free: one to stream changes, one while tables are copied", r.what, r.most, r.used)
			continue
		}
		c.Findings.Pass("%s is sufficient (%d of %d used)", r.what, r.used, r.most)
	}
	return c.connections(ctx)
}

// connections checks that the role and the database allow as many connections as a copy needs. Superusers have no such
// limits.
func (c *Preflight) connections(ctx context.Context) error {
	needed := 3 + max(c.Readers, 1) // one to ask, one that follows, one that holds the snapshot, and those that read
	var role, database string
	var ofRole, ofDatabase int
	var super bool
	err := c.Catalog.ask(ctx, "limits of connections", `
SELECT rolname::text, rolconnlimit, datname::text, datconnlimit, rolsuper
FROM pg_roles, pg_database
WHERE rolname = current_user AND datname = current_database()`, nil, &role, &ofRole, &database, &ofDatabase, &super)
	if err != nil || super {
		return err
	}
	if ofRole >= 0 && ofRole < needed {
		c.Findings.Fail(fmt.Sprintf("ALTER ROLE %s CONNECTION LIMIT %d;", Identifier(role), needed),
			"role %s may have %d connections, and a copy needs %d", role, ofRole, needed)
	}
	if ofDatabase >= 0 && ofDatabase < needed {
		c.Findings.Fail("ALTER DATABASE "+Identifier(database)+" CONNECTION LIMIT -1;",
			"database %s allows %d connections in all, and a copy needs %d", database, ofDatabase, needed)
	}
	return nil
}

// tables checks the mapping against the catalog, and the publication.
func (c *Preflight) tables(ctx context.Context) error {
	tables, problems, err := BindAll(ctx, c.Catalog, c.Mapping)
	if err != nil {
		return err
	}
	c.Findings.Verdict(fmt.Sprintf("%d tables match the mapping", len(c.Mapping.Tables)), problems)
	if len(tables) < len(c.Mapping.Tables) || len(problems) > 0 {
		return nil
	}
	c.Tables = tables
	for _, t := range tables {
		if t.SharesRecords {
			c.Findings.Note("%s", t.SharedNote())
		}
	}
	p, err := c.Catalog.Publication(ctx, c.Publication)
	if err != nil {
		return err
	}
	what := "publication " + c.Publication
	if p != nil {
		problems = p.Problems(c.Publication, tables)
		c.Findings.Verdict(what+" publishes their changes", slices.DeleteFunc(problems, func(p Problem) bool { return p.Unpublished != nil && p.Unpublished.owned }))
		return nil
	}
	if problems := (&Publication{}).Generated(tables); len(problems) > 0 {
		c.Findings.Verdict(what+" can publish their columns", problems)
		return nil
	}
	var may bool
	if err := c.Catalog.ask(ctx, "privileges", "SELECT has_database_privilege(current_database(), 'CREATE')", nil, &may); err != nil {
		return err
	}
	if !may || slices.ContainsFunc(tables, func(t *Table) bool { return !t.owned }) {
		c.Findings.Fail(CreatePublicationSQL(c.Publication, tables)+"  -- as the tables' owner",
			"%s does not exist, and the role may not create it: that requires the tables' owner and CREATE on the database", what)
	} else {
		c.Findings.Pass("%s does not exist and can be created", what)
	}
	return nil
}

// slot checks that the slot is, or can become, this replication's.
func (c *Preflight) slot(ctx context.Context) error {
	found, err := c.Catalog.Slot(ctx, c.Slot)
	if err != nil {
		return err
	}
	c.Found = found
	database, err := c.Catalog.Database(ctx)
	if err != nil {
		return err
	}
	switch {
	case found == nil:
		c.Findings.Pass("slot %s does not exist and can be created", c.Slot)
	case found.IsForeign(database):
		c.Findings.Fail("choose another one with --slot", "slot %s has another plugin or database (plugin %q, database %q)", c.Slot, found.Plugin, found.Database)
	case found.Lost() && !c.StartOver:
		c.Findings.Fail("resynchronize everything with --resync all", "slot %s was invalidated: it retained more WAL than max_slot_wal_keep_size allows", c.Slot)
	default:
		c.Findings.Pass("slot %s exists and retains %d MiB of WAL", c.Slot, found.Retained>>20)
	}
	return nil
}
