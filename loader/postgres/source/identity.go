package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/record"
)

// uniqueSQL reads the columns of each index by which no two rows of a table are equal at any time. One with a condition
// is not such, nor one over expressions, nor one that is checked at the end of a transaction only. Columns that an
// index merely includes do not count.
const uniqueSQL = `
SELECT ARRAY
(
    SELECT a.attname::text
    FROM pg_attribute AS a
    WHERE a.attrelid = i.indrelid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
)
FROM pg_index AS i
WHERE i.indrelid = $1::bigint::oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL`

// bindIdentity finds out whether two rows can make the same record. Where they can, the source is asked which rows make
// it; but tables that identify rows by their id together with something else are refused, because rows of one id are
// different things there. The unique indexes of a partitioned table must hold the columns that it is partitioned by,
// and so say nothing of that.
func (t *Table) bindIdentity(r *Relation) []Problem {
	var columns []string
	for _, name := range t.IdentityFields() {
		if f := t.Field(name); f != nil && f.Column != "" && f.Path == nil {
			columns = append(columns, f.Column)
		}
	}
	covers := func(index []string) bool {
		return !slices.ContainsFunc(index, func(column string) bool { return !slices.Contains(columns, column) })
	}
	t.SharesRecords = len(columns) == 0 || !slices.ContainsFunc(r.unique, covers)
	if !t.SharesRecords || !t.Record.HasID() {
		return nil
	}
	id := t.Field("id").Column
	composite := func(index []string) bool { return slices.Contains(index, id) }
	if r.kind == "p" {
		return t.organizationIdentity(r, id)
	}
	if !slices.ContainsFunc(r.unique, composite) {
		return nil
	}
	return []Problem{problemf(fmt.Sprintf("CREATE UNIQUE INDEX ON %s (%s);  -- or name a column in the mapping that is unique by itself", t.SQLName(), Identifier(id)),
		"two rows of table %s may have the same %s, which is all that identifies its records: no unique index without a condition covers it alone", t.FullName(), id)}
}

// organizationIdentity refuses partitioned conversations that are identified by their organization and an id: messages
// know the id only, and would count for the wrong organization. A uuid is unique by itself.
func (t *Table) organizationIdentity(r *Relation, id string) []Problem {
	organization := t.Field("organizationId")
	if !t.IsReferencedByID() || organization.Column == "" || r.Columns[id].TypeName == "uuid" {
		return nil
	}
	both := func(index []string) bool {
		return slices.Contains(index, id) && slices.Contains(index, organization.Column)
	}
	if !slices.ContainsFunc(r.unique, both) {
		return nil
	}
	return []Problem{problemf("name a column in the mapping that is unique by itself, such as one of type uuid",
		"table %s identifies its rows by %s and %s together: two organizations may have a conversation of the same id, and its messages name the id only",
		t.FullName(), organization.Column, id)}
}

// SharedNote returns what a check says of a table whose rows may share records.
func (t *Table) SharedNote() string {
	return fmt.Sprintf("no unique index without a condition covers %s of table %s: for each change the source is queried for the rows that make the record",
		strings.Join(t.IdentityFields(), " and "), t.FullName())
}

// identityColumn is a part of an identity in the source.
type identityColumn struct {
	part     int    // of the identity
	sql      string // what it is compared with
	typeName string
}

// identityColumns returns what identifies the records of the table. A constant identifies nothing.
func (t *Table) identityColumns() (columns []identityColumn) {
	for part, name := range t.IdentityFields() {
		f := t.Sources[slices.IndexFunc(t.Sources, func(f Field) bool { return f.Name == name })]
		if f.Index < 0 {
			continue
		}
		c := &t.Columns[f.Index]
		if f.Path == nil {
			columns = append(columns, identityColumn{part, Identifier(c.Name), c.TypeName})
			continue
		}
		var path []string
		for _, key := range f.Path {
			path = append(path, Literal(key))
		}
		columns = append(columns, identityColumn{part, fmt.Sprintf("(%s #>> ARRAY[%s])", Identifier(c.Name), strings.Join(path, ", ")), "text"})
	}
	return columns
}

// FetchByIdentity reads the rows that make some records as they are now, as FetchRows does.
func (c *Catalog) FetchByIdentity(ctx context.Context, t *Table, asked []record.Identity, each func([]Value)) error {
	var by []comparison
	for _, column := range t.identityColumns() {
		texts := make([]string, len(asked))
		for i, id := range asked {
			texts[i] = id[column.part]
		}
		by = append(by, comparison{column.sql, column.typeName, texts})
	}
	return c.rows(ctx, t, by, each)
}

// SharedIdentities returns the identities of the records that several rows of a table make.
func SharedIdentities(ctx context.Context, tx pgx.Tx, t *Table) (asked []record.Identity, err error) {
	columns := t.identityColumns()
	if len(columns) == 0 {
		return nil, nil
	}
	var names, given, places []string
	for i, c := range columns {
		names, given, places = append(names, c.sql+"::text"), append(given, c.sql+" IS NOT NULL"), append(places, fmt.Sprint(i+1))
	}
	rows, _ := tx.Query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s GROUP BY %s HAVING count(*) > 1",
		strings.Join(names, ", "), t.SQLName(), strings.Join(given, " AND "), strings.Join(places, ", "))) // its error comes with the rows
	var whole record.Identity
	for part, name := range t.IdentityFields() {
		whole[part] = strings.Trim(t.Field(name).Constant, `"`) // a JSON string or integer; "" where it comes from a column
	}
	targets := make([]any, len(columns))
	for i, c := range columns {
		targets[i] = &whole[c.part]
	}
	_, err = pgx.ForEachRow(rows, targets, func() error {
		asked = append(asked, whole)
		return nil
	})
	return asked, err
}
