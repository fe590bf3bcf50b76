package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/clickhouse"
)

// Finding is what was tried out, and what is wrong with it; nil: it is as it must be.
type Finding struct {
	What    string
	Problem *Problem
	Note    bool // it works, and there is something to know of it
}

// Check tries out everything that replication needs, changes nothing, and tells all that it finds. The error is one of
// reaching PostgreSQL or ClickHouse later than at first.
func Check(ctx context.Context, o Options) ([]Finding, error) {
	c := &checking{Options: o, state: &state{}}
	c.clickHouse(ctx)
	conn, err := connect(ctx, o.URL)
	if err != nil {
		c.wrong("PostgreSQL can be reached", Problem{What: err.Error(), Mend: "start it, or correct the source's URL (ORGSTATS_SOURCE_URL, --source-url)"})
		return c.findings, nil
	}
	defer closeQuietly(conn)
	if _, err := c.source(ctx, conn); err != nil {
		return c.findings, err
	}
	return c.findings, c.log(ctx)
}

// source tries out everything in PostgreSQL.
func (c *checking) source(ctx context.Context, conn *pgx.Conn) ([]Finding, error) {
	c.conn, c.catalog = conn, &catalog{conn: conn}
	for _, step := range []func(context.Context) error{c.server, c.role, c.room, c.tables, c.slot} {
		if err := step(ctx); err != nil {
			return c.findings, err
		}
	}
	return c.findings, nil
}

// preflight is the check before anything is done. Its error holds all problems. Columns that are wrong now need not
// have been when the changes were made that a source that is known goes on with: the log tells.
func (s *session) preflight(ctx context.Context, conn *pgx.Conn) error {
	findings, err := (&checking{Options: s.Options}).source(ctx, conn)
	if err != nil {
		return err
	}
	var problems []error
	for _, f := range findings {
		if f.Problem != nil && !s.passing(*f.Problem) {
			problems = append(problems, *f.Problem)
		}
	}
	return errors.Join(problems...)
}

// passing tells whether a problem need not have been one when the next changes in the log were made.
func (s *session) passing(p Problem) bool {
	if p.passing == 0 || !s.goesOn() {
		return false
	}
	for _, t := range s.state.tables {
		if t.relation == p.passing {
			return true
		}
	}
	return false
}

// goesOn tells whether the log is followed from where an earlier run was.
func (s *session) goesOn() bool { return s.state.known && !slices.Contains(s.Resync, resyncAll) }

// checking is a check under way.
type checking struct {
	Options
	conn     *pgx.Conn
	catalog  *catalog
	state    *state   // what ClickHouse keeps of the source
	bound    []*table // the mapped tables, if all are as they must be
	found    *slot
	findings []Finding
}

func (c *checking) right(format string, arguments ...any) {
	c.findings = append(c.findings, Finding{What: fmt.Sprintf(format, arguments...)})
}

func (c *checking) note(format string, arguments ...any) {
	c.findings = append(c.findings, Finding{What: fmt.Sprintf(format, arguments...), Note: true})
}

func (c *checking) wrong(what string, p Problem) {
	c.findings = append(c.findings, Finding{What: what, Problem: &p})
}

// verdict is one of both.
func (c *checking) verdict(what string, problems []Problem) {
	if len(problems) == 0 {
		c.right("%s", what)
	}
	for _, p := range problems {
		c.wrong(what, p)
	}
}

// ask asks PostgreSQL for values.
func (c *checking) ask(ctx context.Context, what, statement string, values ...any) error {
	c.catalog.mu.Lock()
	defer c.catalog.mu.Unlock()
	if err := c.conn.QueryRow(ctx, statement).Scan(values...); err != nil {
		return fmt.Errorf("look up %s: %w", what, err)
	}
	return nil
}

const leastVersion = 140000

// server checks the server and how it is set up.
func (c *checking) server(ctx context.Context) error {
	var version, level, encoding string
	var number int
	var standby bool
	err := c.ask(ctx, "the server's settings", `
SELECT current_setting('server_version'), current_setting('server_version_num')::int, current_setting('wal_level'),
    current_setting('server_encoding'), pg_is_in_recovery()`,
		&version, &number, &level, &encoding, &standby)
	if err != nil {
		return err
	}
	what := "PostgreSQL " + version
	switch {
	case number < leastVersion:
		c.wrong(what, Problem{What: "PostgreSQL is version " + version + ", and 14 or later is needed", Mend: "upgrade the server"})
	case standby:
		c.wrong(what, Problem{What: "PostgreSQL is a standby, and only a primary can be followed", Mend: "name the primary in the source's URL"})
	default:
		c.right("%s", what)
	}
	switch {
	case encoding == "UTF8":
	case encoding == sqlASCII || charmaps[encoding] != nil:
		c.note("the database's encoding is %s: rows whose text can't be converted to UTF-8 are rejected", encoding)
	default:
		c.note("the database's encoding is %s: PostgreSQL converts it, and sends nothing any more from a row on whose text can't be converted to UTF-8", encoding)
	}
	if level != "logical" {
		c.wrong("wal_level", Problem{What: "wal_level is " + level + ": the log does not tell rows", Mend: "ALTER SYSTEM SET wal_level = logical;  -- and restart PostgreSQL"})
		return nil
	}
	c.right("wal_level is logical")
	return nil
}

// role checks that the role may replicate.
func (c *checking) role(ctx context.Context) error {
	var name string
	var allowed bool
	err := c.ask(ctx, "the role", `
SELECT rolname::text, rolsuper OR rolreplication OR EXISTS
(
    SELECT FROM pg_roles AS managed
    WHERE managed.rolname IN ('rds_replication', 'azure_pg_admin') AND pg_has_role(r.oid, managed.oid, 'MEMBER')
)
FROM pg_roles AS r
WHERE rolname = current_user`, &name, &allowed)
	if err != nil {
		return err
	}
	if !allowed {
		c.wrong("role "+name+" may replicate", Problem{
			What: fmt.Sprintf("role %s may not replicate", name),
			Mend: fmt.Sprintf("ALTER ROLE %s REPLICATION;  -- as a superuser", identifier(name)),
		})
		return nil
	}
	wal, err := connectWAL(ctx, c.URL)
	if err != nil {
		c.wrong("role "+name+" may replicate", Problem{What: err.Error(), Mend: "allow the connection in pg_hba.conf (a line for the database, not one for \"replication\")"})
		return nil
	}
	closeQuietly(wal)
	c.right("role %s may replicate", name)
	return nil
}

// room checks that there are slots and senders left: one to follow, and one more while tables are copied. Those of this
// replication do not count: an earlier run may just have ended.
func (c *checking) room(ctx context.Context) error {
	var slots, mostSlots, senders, mostSenders int
	err := c.ask(ctx, "slots", fmt.Sprintf(`
SELECT
    (SELECT count(*) FROM pg_replication_slots WHERE slot_name != %s), current_setting('max_replication_slots')::int,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' AND application_name != %s), current_setting('max_wal_senders')::int`,
		literal(c.Slot), literal(applicationName)), &slots, &mostSlots, &senders, &mostSenders)
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
			c.wrong(r.what, Problem{
				What: fmt.Sprintf("%s is %d and %d are used; two must be free: one to follow, one while tables are copied", r.what, r.most, r.used),
				Mend: fmt.Sprintf("ALTER SYSTEM SET %s = %d;  -- and restart PostgreSQL, or drop slots that nobody uses", r.what, r.used+2),
			})
			continue
		}
		c.right("%s leaves room (%d of %d used)", r.what, r.used, r.most)
	}
	return c.connections(ctx)
}

// connections checks that the role and the database allow as many connections as a copy takes. Superusers have no such
// limits.
func (c *checking) connections(ctx context.Context) error {
	needed := 3 + max(c.SnapshotWorkers, 1) // one to ask, one that follows, one that holds the snapshot, and those that read
	var role, database string
	var ofRole, ofDatabase int
	var super bool
	err := c.ask(ctx, "limits of connections", `
SELECT rolname::text, rolconnlimit, datname::text, datconnlimit, rolsuper
FROM pg_roles, pg_database
WHERE rolname = current_user AND datname = current_database()`, &role, &ofRole, &database, &ofDatabase, &super)
	if err != nil || super {
		return err
	}
	if ofRole >= 0 && ofRole < needed {
		c.wrong("connections of role "+role, Problem{
			What: fmt.Sprintf("role %s may have %d connections, and a copy takes %d", role, ofRole, needed),
			Mend: fmt.Sprintf("ALTER ROLE %s CONNECTION LIMIT %d;", identifier(role), needed),
		})
	}
	if ofDatabase >= 0 && ofDatabase < needed {
		c.wrong("connections of database "+database, Problem{
			What: fmt.Sprintf("database %s takes %d connections in all, and a copy takes %d", database, ofDatabase, needed),
			Mend: fmt.Sprintf("ALTER DATABASE %s CONNECTION LIMIT -1;", identifier(database)),
		})
	}
	return nil
}

// tables checks the mapping against the catalog, and the publication.
func (c *checking) tables(ctx context.Context) error {
	tables, problems, err := bindAll(ctx, c.catalog, c.Mapping)
	if err != nil {
		return err
	}
	c.verdict(fmt.Sprintf("%d tables are as the mapping says", len(c.Mapping.Tables)), problems)
	if len(tables) < len(c.Mapping.Tables) {
		return nil
	}
	if len(problems) > 0 {
		return nil
	}
	c.bound = tables
	for _, t := range tables {
		if t.shared {
			c.note("%s", t.sharedNote())
		}
	}
	p, err := c.catalog.publication(ctx, c.Publication)
	if err != nil {
		return err
	}
	what := "publication " + c.Publication
	if p != nil {
		problems = p.problems(c.Publication, tables)
		c.verdict(what+" sends their changes", slices.DeleteFunc(problems, func(p Problem) bool { return p.missing != nil && p.missing.owned }))
		return nil
	}
	if problems := (&publication{}).generated(tables); len(problems) > 0 {
		c.verdict(what+" can send their columns", problems)
		return nil
	}
	var may bool
	if err := c.ask(ctx, "privileges", "SELECT has_database_privilege(current_database(), 'CREATE')", &may); err != nil {
		return err
	}
	if may = may && !slices.ContainsFunc(tables, func(t *table) bool { return !t.owned }); !may {
		c.wrong(what, Problem{
			What: fmt.Sprintf("there is no publication %s, and the role may not make it: that takes the tables' owner and CREATE on the database", c.Publication),
			Mend: createPublicationSQL(c.Publication, tables) + "  -- as the tables' owner",
		})
		return nil
	}
	c.right("%s is not there yet and can be made", what)
	return nil
}

// slot checks that the slot is, or can become, this replication's.
func (c *checking) slot(ctx context.Context) error {
	found, err := c.catalog.slot(ctx, c.Slot)
	if err != nil {
		return err
	}
	c.found = found
	var database string
	if err := c.ask(ctx, "the database's name", "SELECT current_database()", &database); err != nil {
		return err
	}
	what := "slot " + c.Slot
	switch {
	case found == nil:
		c.right("%s is not there yet and can be made", what)
	case found.foreign(database):
		c.wrong(what, Problem{What: fmt.Sprintf("slot %s belongs to something else (plugin %q, database %q)", c.Slot, found.plugin, found.database), Mend: "choose another one with --slot"})
	case found.lost() && !slices.Contains(c.Resync, resyncAll):
		c.wrong(what, Problem{What: fmt.Sprintf("slot %s was invalidated: it held more WAL than max_slot_wal_keep_size allows", c.Slot), Mend: "copy everything anew with --resync all"})
	default:
		c.right("%s is there and holds %d MiB of WAL", what, found.retained>>20)
	}
	return nil
}

// clickHouse checks that ClickHouse takes what is written. What it writes is hidden.
func (c *checking) clickHouse(ctx context.Context) {
	const what = "ClickHouse takes what is written"
	url, err := c.ClickHouse(ctx)
	if err == nil {
		err = c.tryWrite(ctx, url)
	}
	if err != nil {
		c.wrong(what, Problem{What: err.Error(), Mend: "give ClickHouse room and the user the right to write"})
		return
	}
	c.right(what)
}

func (c *checking) tryWrite(ctx context.Context, url string) error {
	conn, err := clickhouse.Open(ctx, url, clickhouse.Pool{MaxOpen: 1, MaxIdle: 1})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	s := &store{conn: conn, statement: plainStatement, slot: c.Slot}
	if err := s.saveRejects(ctx, []reject{{at: time.Now()}}); err != nil {
		return err
	}
	found, err := s.load(ctx)
	if err == nil {
		c.state = found
	}
	return err
}
