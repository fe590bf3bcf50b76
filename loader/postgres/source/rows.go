package source

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

// FetchRows reads the rows of some keys as they are now and calls each for every one that is there. Values live until
// it returns.
func (c *Catalog) FetchRows(ctx context.Context, t *Table, keys []string, each func([]Value)) error {
	by := make([]comparison, len(t.Key))
	for i, place := range t.Key {
		by[i] = comparison{sql: Identifier(t.Columns[place].Name), typeName: t.Columns[place].TypeName}
	}
	for _, key := range keys {
		for i, part := range t.splitKey(key) {
			by[i].texts = append(by[i].texts, part)
		}
	}
	return c.rows(ctx, t, by, each)
}

// rows reads the rows in which some columns have the values that are looked for.
func (c *Catalog) rows(ctx context.Context, t *Table, by []comparison, each func([]Value)) error {
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
		t.SelectList(), t.SQLName(), strings.Join(names, ", "), strings.Join(sets, ", "))
	rows, err := c.conn.Query(ctx, statement, arguments...)
	if err != nil {
		return ReadError(t, err)
	}
	defer rows.Close()
	values := make([]Value, len(t.Columns))
	for rows.Next() {
		for i, text := range rows.RawValues() {
			values[i] = Value{State: ValueText, Text: text}
			if text == nil {
				values[i].State = ValueNull
			} else if t.Encoding != nil {
				if values[i].Text, err = unhex(text); err != nil {
					return ReadError(t, err)
				}
			}
		}
		t.Encoding.ConvertRow(values)
		each(values)
	}
	return ReadError(t, rows.Err())
}

// ReadError returns a failure to read rows, nil if there was none.
func ReadError(t *Table, err error) error {
	switch {
	case err == nil:
		return nil
	case HasCode(err, CodePrivilege):
		return Fatalf("the role may not read all of table %s: GRANT SELECT on it and on its partitions to the role: %v", t.FullName(), err)
	case HasCode(err, codeUndefinedColumn):
		return Fatalf("table %s does not have all columns any more that the mapping uses: add them again or correct the mapping: %v", t.FullName(), err)
	}
	return fmt.Errorf("read rows of %s: %w", t.FullName(), err)
}

// splitKey splits the key of a row.
func (t *Table) splitKey(key string) (parts []string) {
	if len(t.Key) == 1 {
		return []string{key}
	}
	for _, part := range gjson.Parse(key).Array() {
		parts = append(parts, part.Str)
	}
	return parts
}
