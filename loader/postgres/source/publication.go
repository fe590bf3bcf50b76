package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Publication is a publication as the source has it.
type Publication struct {
	operations string // those that are not published, joined
	viaRoot    bool
	computed   bool // stored generated columns are sent, as PostgreSQL 18 can
	tables     map[string]publishedTable
}

// publishedTable is what of a table a publication sends.
type publishedTable struct {
	columns []string // nil: all
	filter  string   // condition on rows; "": all
}

// Publication looks a publication up; nil: there is none of that name.
func (c *Catalog) Publication(ctx context.Context, name string) (*Publication, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &Publication{tables: map[string]publishedTable{}}
	err := c.conn.QueryRow(ctx, `
SELECT concat_ws(', ', CASE WHEN NOT pubinsert THEN 'insert' END, CASE WHEN NOT pubupdate THEN 'update' END,
    CASE WHEN NOT pubdelete THEN 'delete' END, CASE WHEN NOT pubtruncate THEN 'truncate' END), pubviaroot, coalesce(to_jsonb(p) ->> 'pubgencols', 'n') = 's'
FROM pg_publication AS p
WHERE pubname = $1`, name).Scan(&p.operations, &p.viaRoot, &p.computed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = p.readTables(ctx, c.conn, name)
	}
	if err != nil {
		return nil, fmt.Errorf("look up publication %s: %w", name, err)
	}
	return p, nil
}

// readTables reads what is published. Before version 15 there are neither filters nor lists of columns.
func (p *Publication) readTables(ctx context.Context, conn *pgx.Conn, name string) error {
	rows, _ := conn.Query(ctx, `
SELECT schemaname || '.' || tablename,
    ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(row -> 'attnames') WHEN 'array' THEN row -> 'attnames' ELSE '[]' END)),
    coalesce(row ->> 'rowfilter', '')
FROM pg_publication_tables AS t
CROSS JOIN LATERAL (SELECT to_jsonb(t) AS row) AS whole
WHERE pubname = $1`, name) // its error comes with the rows
	var table, filter string
	var columns []string
	_, err := pgx.ForEachRow(rows, []any{&table, &columns, &filter}, func() error {
		p.tables[table] = publishedTable{slices.Clone(columns), filter}
		return nil
	})
	return err
}

// CreatePublicationSQL returns the statement that makes the publication.
func CreatePublicationSQL(name string, tables []*Table) string {
	var names []string
	for _, t := range tables {
		names = append(names, t.SQLName())
	}
	return fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (publish_via_partition_root = true);", Identifier(name), strings.Join(names, ", "))
}

// Problems returns what of the tables the publication does not send.
func (p *Publication) Problems(name string, tables []*Table) (problems []Problem) {
	if p.operations != "" {
		problems = append(problems, problemf("ALTER PUBLICATION "+Identifier(name)+" SET (publish = 'insert, update, delete, truncate');",
			"publication %s does not publish %s", name, p.operations))
	}
	for _, t := range tables {
		problems = append(problems, p.problemsOf(name, t)...)
	}
	return problems
}

func (p *Publication) problemsOf(name string, t *Table) (problems []Problem) {
	sent, ok := p.tables[t.FullName()]
	if !ok {
		missing := problemf(fmt.Sprintf("ALTER PUBLICATION %s ADD TABLE %s;", Identifier(name), t.SQLName()), "publication %s does not include table %s", name, t.FullName())
		missing.Unpublished = t
		return []Problem{missing}
	}
	if sent.filter != "" {
		problems = append(problems, problemf("publish the table without a condition, or use another publication (--publication)",
			"publication %s publishes only some rows of table %s: WHERE %s", name, t.FullName(), sent.filter))
	}
	if t.Partitioned && !p.viaRoot {
		problems = append(problems, problemf("ALTER PUBLICATION "+Identifier(name)+" SET (publish_via_partition_root = true);",
			"publication %s publishes the changes of table %s under the names of its partitions", name, t.FullName()))
	}
	problems = append(problems, p.Generated([]*Table{t})...)
	for _, c := range t.Columns {
		if p.sends(c) && len(sent.columns) > 0 && !slices.Contains(sent.columns, c.Name) {
			missing := problemf("publish the table without a list of columns, or add the column to the list",
				"publication %s does not publish column %s of table %s", name, c.Name, t.FullName())
			missing.TableOID = t.OID
			problems = append(problems, missing)
		}
	}
	return problems
}

// sends reports whether the publication can send a column: not where it is computed, in general.
func (p *Publication) sends(c Column) bool { return p.computed || !c.Generated }

// Generated returns the columns that the publication does not send because they are computed.
func (p *Publication) Generated(tables []*Table) (problems []Problem) {
	for _, t := range tables {
		for _, c := range t.Columns {
			if !p.sends(c) {
				problems = append(problems, GeneratedColumn(t, c.Name))
			}
		}
	}
	return problems
}

// GeneratedColumn says that a column is computed by PostgreSQL, which does not log it.
func GeneratedColumn(t *Table, name string) Problem {
	fix := "map the columns that it is computed from, or let the application write it: ALTER TABLE " + t.SQLName() + " ALTER COLUMN " +
		Identifier(name) + " DROP EXPRESSION;"
	for _, f := range t.Fields {
		if f.Column == name && slices.Contains([]string{"extractTotalTokens", "totalTokens"}, f.Name) {
			fix = fmt.Sprintf("leave %s out of the mapping: without it, the total is the sum of the other two; otherwise ", f.Name) + fix
		}
	}
	return problemf(fix+"  -- PostgreSQL 18 can publish it: publish_generated_columns = stored",
		"column %s of table %s is a generated column: the WAL does not have it", name, t.FullName())
}
