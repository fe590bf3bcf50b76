package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/tidwall/gjson"
)

// comparison is a column, or what is computed from one, and the texts of the values that are looked for, one of each
// row.
type comparison struct {
	sql, typeName string
	texts         []string
}

// fetch reads the rows of some keys as they are now and calls each for every one that is there. Values live until it
// returns.
func (c *catalog) fetch(ctx context.Context, t *table, keys []string, each func([]value)) error {
	by := make([]comparison, len(t.key))
	for i, place := range t.key {
		by[i] = comparison{sql: identifier(t.columns[place].name), typeName: t.columns[place].typeName}
	}
	for _, key := range keys {
		for i, part := range t.splitKey(key) {
			by[i].texts = append(by[i].texts, part)
		}
	}
	return c.rows(ctx, t, by, each)
}

// rows reads the rows in which some columns have the values that are looked for.
func (c *catalog) rows(ctx context.Context, t *table, by []comparison, each func([]value)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	arguments := []any{pgx.QueryExecModeExec}
	var names, sets []string
	for i, b := range by {
		names = append(names, b.sql)
		sets = append(sets, fmt.Sprintf("$%d::text[]::%s[]", i+1, b.typeName))
		arguments = append(arguments, b.texts)
	}
	statement := fmt.Sprintf("SELECT %s FROM %s WHERE (%s) IN (SELECT * FROM unnest(%s))",
		t.selectList(), t.sqlName(), strings.Join(names, ", "), strings.Join(sets, ", "))
	rows, err := c.conn.Query(ctx, statement, arguments...)
	if err != nil {
		return readError(t, err)
	}
	defer rows.Close()
	values := make([]value, len(t.columns))
	for rows.Next() {
		for i, text := range rows.RawValues() {
			values[i] = value{state: valueText, text: text}
			if text == nil {
				values[i].state = valueNull
			} else if t.encoding != nil {
				if values[i].text, err = unhex(text); err != nil {
					return readError(t, err)
				}
			}
		}
		t.encoding.values(values)
		each(values)
	}
	return readError(t, rows.Err())
}

// readError is a failure to read rows, nil if there was none.
func readError(t *table, err error) error {
	switch {
	case err == nil:
		return nil
	case hasCode(err, codePrivilege):
		return fatalf("the role may not read all of table %s: GRANT SELECT on it and on its partitions to the role: %v", t.FullName(), err)
	case hasCode(err, codeUndefinedColumn):
		return fatalf("table %s does not have all columns any more that the mapping uses: add them again or correct the mapping: %v", t.FullName(), err)
	}
	return fmt.Errorf("read rows of %s: %w", t.FullName(), err)
}

// splitKey takes the key of a row apart.
func (t *table) splitKey(key string) (parts []string) {
	if len(t.key) == 1 {
		return []string{key}
	}
	for _, part := range gjson.Parse(key).Array() {
		parts = append(parts, part.Str)
	}
	return parts
}
