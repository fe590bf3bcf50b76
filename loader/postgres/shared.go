package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica"
)

// Rows of a table may share a record where no unique index keeps them from it: a membership that was deleted softly and
// the one that followed it, or rows of two partitions with the same id. A change of one of them must not decide over
// the record that another one still gives. So for such tables the source is asked which rows give the records that a
// batch is about, and the record is what these give together. What is asked for is newer than the batch; the changes
// that made it so are still to come, and ask again.

// claim is what one of several rows says of the record that they share.
type claim struct {
	record.Record
	key string // of the row
}

// weaker reports whether another row of the same record goes before this one: one that is not deleted, then the one
// that changed last.
func (c claim) weaker(other claim) bool {
	version, others := record.VersionOf(c.Record), record.VersionOf(other.Record)
	if version.Deleted != others.Deleted {
		return version.Deleted
	}
	if version.UpdatedAt != others.UpdatedAt {
		return version.UpdatedAt < others.UpdatedAt
	}
	return c.key < other.key
}

// settleClaims finds the claim that gives the record. Rows that are not deleted and give it to different owners give
// none: who is it that they speak of?
func settleClaims(claims []claim) (winner claim, conflict string) {
	winner = claims[0]
	for _, c := range claims[1:] {
		owner, other := c.Owner(), winner.Owner()
		if !record.VersionOf(c.Record).Deleted && !record.VersionOf(winner.Record).Deleted && owner != other {
			conflict = fmt.Sprintf("stands in several rows, for %q and for %q: which of them is meant can't be told",
				min(owner, other), max(owner, other))
		}
		if winner.weaker(c) {
			winner = c
		}
	}
	return winner, conflict
}

// settleShared puts what the source's rows give together in the place of the batch's records of tables whose rows may
// share records.
func (s *session) settleShared(ctx context.Context, w *work) error {
	for _, t := range s.tables {
		if !t.shared || w.copied != nil {
			continue
		}
		var asked []record.Identity
		err := s.target.do(ctx, func(ctx context.Context, writer *replica.Writer, _ *store) (err error) {
			asked, err = identitiesOf(ctx, writer, w, t)
			return err
		})
		if err != nil {
			return err
		}
		if err := s.settleTable(ctx, w, t, asked); err != nil {
			return err
		}
	}
	return nil
}

// identitiesOf are the records that the batch is about: of members, those that its rows give now and those that they
// gave before.
func identitiesOf(ctx context.Context, writer *replica.Writer, w *work, t *table) (asked []record.Identity, err error) {
	if !t.Record.HasID() {
		return writer.MembersOf(ctx, w.batch)
	}
	stored, err := writer.Stored(ctx, t.Record, w.inserted[t.FullName()])
	for id := range w.uncertain[t.FullName()] {
		if !t.encoding.canAskFor(id) {
			continue // it gave no record
		}
		stored = append(stored, id)
	}
	slices.Sort(stored)
	for _, id := range slices.Compact(stored) {
		asked = append(asked, record.Identity{id})
	}
	return asked, err
}

// settleTable settles the records of one table.
func (s *session) settleTable(ctx context.Context, w *work, t *table, asked []record.Identity) error {
	if len(asked) == 0 {
		return nil
	}
	claims := map[record.Identity][]claim{}
	err := s.catalog.fetchIdentities(ctx, t, asked, func(values []value) {
		key := t.keyOf(values)
		if rec := s.rejects.read(w, t, t.row(values, w.position), key); rec != nil {
			claims[rec.Identity()] = append(claims[rec.Identity()], claim{rec, key})
		}
	})
	if err != nil {
		return err
	}
	missing := replica.Missing{}
	var found []record.Record
	if !t.Record.HasID() {
		missing[t.Record] = w.batch.MemberRows()
	}
	for _, id := range asked {
		if t.Record.HasID() {
			missing[t.Record] = append(missing[t.Record], id[0])
		}
		if rec := s.settleRecord(w, t, id, claims[id]); rec != nil {
			found = append(found, rec)
		}
	}
	w.batch.Complete(missing, found)
	return nil
}

// settleRecord is the record that some rows give, a tombstone where they give none; nil: there is nothing to say of it.
func (s *session) settleRecord(w *work, t *table, id record.Identity, claims []claim) record.Record {
	if len(claims) == 0 && !t.Record.HasID() {
		return nil // a row that is gone has its own tombstone in the batch, or later in the log
	}
	if len(claims) > 0 {
		winner, conflict := settleClaims(claims)
		if conflict == "" {
			return winner.Record
		}
		name := rowKey{t.FullName(), winner.key}
		s.rejects.add(name)
		w.count(t).rejected++
		w.rejects = append(w.rejects, reject{name, t.Record, w.position, w.at, &record.Error{Type: t.Record.String(), ID: id[0], Field: "id", Reason: conflict}})
	}
	return record.NewTombstone(t.Record, id[0], w.position, w.at.UnixMilli())
}

// identityColumn is a part of an identity in the source.
type identityColumn struct {
	part     int    // of the identity
	sql      string // what it is compared with
	typeName string
}

// identityColumns are what the records of the table are told apart by. A constant tells nothing.
func (t *table) identityColumns() (columns []identityColumn) {
	for part, name := range identityFields(t.Record) {
		f := t.fields[slices.IndexFunc(t.fields, func(f field) bool { return f.Name == name })]
		if f.column < 0 {
			continue
		}
		c := &t.columns[f.column]
		if f.Path == nil {
			columns = append(columns, identityColumn{part, identifier(c.name), c.typeName})
			continue
		}
		var path []string
		for _, key := range f.Path {
			path = append(path, literal(key))
		}
		columns = append(columns, identityColumn{part, fmt.Sprintf("(%s #>> ARRAY[%s])", identifier(c.name), strings.Join(path, ", ")), "text"})
	}
	return columns
}

// fetchIdentities reads the rows that give some records as they are now, as fetch does.
func (c *catalog) fetchIdentities(ctx context.Context, t *table, asked []record.Identity, each func([]value)) error {
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

// readShared finds the records that several of the copied rows give, and hands them to the writer.
func (c *copies) readShared(ctx context.Context, tx pgx.Tx) error {
	for _, j := range c.jobs {
		if !j.copying || !j.table.shared {
			continue
		}
		asked, err := sharedIdentities(ctx, tx, j.table)
		if err != nil {
			return readError(j.table, err)
		}
		w := newWork()
		w.copied, w.shared, w.asked, w.position, w.at = j.table, true, asked, c.position(), time.Now()
		if err := c.send(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

func sharedIdentities(ctx context.Context, tx pgx.Tx, t *table) (asked []record.Identity, err error) {
	columns := t.identityColumns()
	if len(columns) == 0 {
		return nil, nil
	}
	var names, given, places []string
	for i, c := range columns {
		names, given, places = append(names, c.sql+"::text"), append(given, c.sql+" IS NOT NULL"), append(places, fmt.Sprint(i+1))
	}
	rows, err := tx.Query(ctx, fmt.Sprintf("SELECT %s FROM %s WHERE %s GROUP BY %s HAVING count(*) > 1",
		strings.Join(names, ", "), t.sqlName(), strings.Join(given, " AND "), strings.Join(places, ", ")))
	if err != nil {
		return nil, err
	}
	var whole record.Identity
	if f := t.Field("organizationId"); !t.Record.HasID() && f.Constant != "" {
		whole[0] = constantText(f.Constant)
	}
	if f := t.Field("userId"); !t.Record.HasID() && f.Constant != "" {
		whole[1] = constantText(f.Constant)
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

// constantText is the text of a constant identifier, a JSON string or integer.
func constantText(raw string) string { return strings.Trim(raw, `"`) }
