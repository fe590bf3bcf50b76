package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// identifier is a name as SQL needs it.
func identifier(name string) string { return pgx.Identifier{name}.Sanitize() }

// literal is a text as SQL needs it.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// selectList are the table's columns as text, or the bytes of that in an encoding that is converted here, in their
// order.
func (t *table) selectList() string {
	var list []string
	for i := range t.columns {
		list = append(list, t.encoding.expression(identifier(t.columns[i].name)+"::text"))
	}
	return strings.Join(list, ", ")
}
