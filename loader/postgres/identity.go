package postgres

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

func uniqueIndexes(ctx context.Context, conn querier, id uint32) ([][]string, error) {
	rows, err := conn.Query(ctx, uniqueSQL, int64(id))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[[]string])
}

// identityFields are the fields that tell a record of a kind from others.
func identityFields(kind record.Kind) []string {
	if !kind.HasID() {
		return []string{"organizationId", "userId"}
	}
	return []string{"id"}
}

// bindIdentity finds out whether two rows can give the same record. Where they can, the source is asked which rows give
// it; but tables that tell rows apart by their id together with something else are refused, because rows of one id are
// different things there. The unique indexes of a partitioned table must hold the columns that it is partitioned by,
// and so say nothing of that.
func (t *table) bindIdentity(r *relation) []Problem {
	var columns []string
	for _, name := range identityFields(t.Record) {
		if f := t.Field(name); f != nil && f.Column != "" && f.Path == nil {
			columns = append(columns, f.Column)
		}
	}
	covers := func(index []string) bool {
		return !slices.ContainsFunc(index, func(column string) bool { return !slices.Contains(columns, column) })
	}
	t.shared = len(columns) == 0 || !slices.ContainsFunc(r.unique, covers)
	if !t.shared || !t.Record.HasID() {
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
	return []Problem{{
		What: fmt.Sprintf("two rows of table %s may have the same %s, which is all that its records are told apart by: no unique index without a condition covers it alone", t.FullName(), id),
		Mend: fmt.Sprintf("CREATE UNIQUE INDEX ON %s (%s);  -- or name a column in the mapping that is unique by itself", t.sqlName(), identifier(id)),
	}}
}

// organizationIdentity refuses partitioned conversations that are told apart by their organization and an id: messages
// know the id only, and would count for the wrong organization. A uuid is unique by itself.
func (t *table) organizationIdentity(r *relation, id string) []Problem {
	organization := t.Field("organizationId")
	if t.Record != record.KindConversation || organization.Column == "" || r.columns[id].typeName == "uuid" {
		return nil
	}
	both := func(index []string) bool {
		return slices.Contains(index, id) && slices.Contains(index, organization.Column)
	}
	if !slices.ContainsFunc(r.unique, both) {
		return nil
	}
	return []Problem{{
		What: fmt.Sprintf("table %s tells its rows apart by %s and %s together: two organizations may have a conversation of the same id, and its messages name the id only",
			t.FullName(), organization.Column, id),
		Mend: "name a column in the mapping that is unique by itself, such as one of type uuid",
	}}
}

// sharedNote is what a check says of a table whose rows may share records.
func (t *table) sharedNote() string {
	return fmt.Sprintf("no unique index without a condition covers %s of table %s: for each change the source is asked which rows give the record",
		strings.Join(identityFields(t.Record), " and "), t.FullName())
}
