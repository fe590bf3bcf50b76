package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/tidwall/gjson"
)

// fetch reads the rows of some keys as they are now and calls each for every one that is there. Values live until it returns.
func (c *catalog) fetch(ctx context.Context, t *table, keys []string, each func([]value)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	columns := make([][]string, len(t.key))
	for _, key := range keys {
		for i, part := range t.splitKey(key) {
			columns[i] = append(columns[i], part)
		}
	}
	arguments := []any{pgx.QueryExecModeExec}
	var names, sets []string
	for i, place := range t.key {
		names = append(names, identifier(t.columns[place].name))
		sets = append(sets, fmt.Sprintf("$%d::text[]::%s[]", i+1, t.columns[place].typeName))
		arguments = append(arguments, columns[i])
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
			}
		}
		each(values)
	}
	return readError(t, rows.Err())
}

// readError is a failure to read rows, nil if there was none.
func readError(t *table, err error) error {
	switch {
	case err == nil:
		return nil
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
