package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// publication is a publication as the source has it.
type publication struct {
	operations string // those that are not published, joined
	viaRoot    bool
	tables     map[string]publishedTable
}

// publishedTable is what of a table a publication sends.
type publishedTable struct {
	columns []string // nil: all
	filter  string   // condition on rows; "": all
}

// publication looks a publication up; nil: there is none of that name.
func (c *catalog) publication(ctx context.Context, name string) (*publication, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &publication{tables: map[string]publishedTable{}}
	err := c.conn.QueryRow(ctx, `
SELECT concat_ws(', ', CASE WHEN NOT pubinsert THEN 'insert' END, CASE WHEN NOT pubupdate THEN 'update' END,
    CASE WHEN NOT pubdelete THEN 'delete' END, CASE WHEN NOT pubtruncate THEN 'truncate' END), pubviaroot
FROM pg_publication
WHERE pubname = $1`, name).Scan(&p.operations, &p.viaRoot)
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
func (p *publication) readTables(ctx context.Context, conn *pgx.Conn, name string) error {
	rows, err := conn.Query(ctx, `
SELECT schemaname || '.' || tablename,
    ARRAY(SELECT jsonb_array_elements_text(CASE jsonb_typeof(row -> 'attnames') WHEN 'array' THEN row -> 'attnames' ELSE '[]' END)),
    coalesce(row ->> 'rowfilter', '')
FROM pg_publication_tables AS t
CROSS JOIN LATERAL (SELECT to_jsonb(t) AS row) AS whole
WHERE pubname = $1`, name)
	if err != nil {
		return err
	}
	var table, filter string
	var columns []string
	_, err = pgx.ForEachRow(rows, []any{&table, &columns, &filter}, func() error {
		p.tables[table] = publishedTable{slices.Clone(columns), filter}
		return nil
	})
	return err
}

// createSQL is what makes the publication.
func createPublicationSQL(name string, tables []*table) string {
	var names []string
	for _, t := range tables {
		names = append(names, t.sqlName())
	}
	return fmt.Sprintf("CREATE PUBLICATION %s FOR TABLE %s WITH (publish_via_partition_root = true);", identifier(name), strings.Join(names, ", "))
}

// problems are what of the tables the publication does not send.
func (p *publication) problems(name string, tables []*table) (problems []Problem) {
	if p.operations != "" {
		problems = append(problems, Problem{
			What: fmt.Sprintf("publication %s does not publish %s", name, p.operations),
			Mend: fmt.Sprintf("ALTER PUBLICATION %s SET (publish = 'insert, update, delete, truncate');", identifier(name)),
		})
	}
	for _, t := range tables {
		problems = append(problems, p.problemsOf(name, t)...)
	}
	return problems
}

func (p *publication) problemsOf(name string, t *table) (problems []Problem) {
	sent, ok := p.tables[t.FullName()]
	if !ok {
		return []Problem{{
			What: fmt.Sprintf("publication %s does not have table %s", name, t.FullName()),
			Mend: fmt.Sprintf("ALTER PUBLICATION %s ADD TABLE %s;", identifier(name), t.sqlName()), missing: t,
		}}
	}
	if sent.filter != "" {
		problems = append(problems, Problem{
			What: fmt.Sprintf("publication %s sends only some rows of table %s: WHERE %s", name, t.FullName(), sent.filter),
			Mend: "publish the table without a condition, or use another publication (--publication)",
		})
	}
	if t.partitioned && !p.viaRoot {
		problems = append(problems, Problem{
			What: fmt.Sprintf("publication %s sends the changes of table %s under the names of its partitions", name, t.FullName()),
			Mend: fmt.Sprintf("ALTER PUBLICATION %s SET (publish_via_partition_root = true);", identifier(name)),
		})
	}
	for _, c := range t.columns {
		if len(sent.columns) > 0 && !slices.Contains(sent.columns, c.name) {
			problems = append(problems, Problem{
				What: fmt.Sprintf("publication %s does not send column %s of table %s", name, c.name, t.FullName()),
				Mend: "publish the table without a list of columns, or add the column to the list", passing: t.id,
			})
		}
	}
	return problems
}
