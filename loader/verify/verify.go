// Package verify compares the cells and the user activity with the messages that they stand for. It shares no SQL with
// what computes them.
package verify

import (
	"context"
	"fmt"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Difference is a row that is not what the messages say.
type Difference struct {
	OrgID string
	Table string // stats_cells, user_activity, or messages or members where numbers are wrong
	Row   string // which row, in words
	// Stored and Expected are the row's figures; "" where there is no row, or should be none.
	Stored, Expected string
}

func (d Difference) String() string {
	what := func(figures string) string {
		if figures == "" {
			return "no row"
		}
		return figures
	}
	return fmt.Sprintf("%s: organization %s, %s: stored %s, expected %s", d.Table, d.OrgID, d.Row, what(d.Stored), what(d.Expected))
}

// Result is what was found.
type Result struct {
	Organizations int
	Rows          uint64       // rows compared
	Differences   []Difference // the first maxShown of each comparison of an organization
	More          uint64       // differences beyond these
	Stale         uint64       // hours that readers read from messages anyway, and that were left out
	Unchecked     []string     // organizations that did not stop changing
}

// OK reports whether everything that was to be checked was, and is right.
func (r *Result) OK() bool { return len(r.Differences) == 0 && len(r.Unchecked) == 0 }

const (
	maxShown = 20
	attempts = 5 // of an organization that changes while it is compared
	pause    = 500 * time.Millisecond

	statementTime = time.Hour // of one comparison of a large organization
)

// Verifier compares over a connection.
type Verifier struct{ Conn clickhouse.Conn }

// Run compares the organizations, or all if none is given. It calls done after each.
func (v *Verifier) Run(ctx context.Context, organizations []string, done func(orgID string, r *Result)) (*Result, error) {
	if len(organizations) == 0 {
		var err error
		if organizations, err = v.organizations(ctx); err != nil {
			return nil, err
		}
	}
	r := &Result{}
	for _, orgID := range organizations {
		if err := v.organization(ctx, orgID, r); err != nil {
			return nil, fmt.Errorf("verify organization %s: %w", orgID, err)
		}
		r.Organizations++
		done(orgID, r)
	}
	return r, nil
}

// organizations returns all that have messages, cells or activity.
func (v *Verifier) organizations(ctx context.Context) ([]string, error) {
	var all []string
	err := v.each(ctx, nil, `
SELECT DISTINCT toString(org_id)
FROM
(
    SELECT org_id FROM messages WHERE org_id != ''
    UNION ALL SELECT org_id FROM stats_cells
    UNION ALL SELECT org_id FROM user_activity
)
ORDER BY 1`, func(scan func(...any) error) error {
		var orgID string
		err := scan(&orgID)
		all = append(all, orgID)
		return err
	})
	return all, err
}

// organization compares one organization while nothing of it changes: what is read of several tables then belongs
// together.
func (v *Verifier) organization(ctx context.Context, orgID string, r *Result) error {
	for range attempts {
		before, err := v.counter(ctx, orgID)
		if err != nil {
			return err
		}
		found := &Result{}
		if before%2 == 0 {
			if err := v.compare(ctx, orgID, found); err != nil {
				return err
			}
		}
		after, err := v.counter(ctx, orgID)
		if err != nil {
			return err
		}
		if before == after && before%2 == 0 {
			r.Rows, r.More, r.Stale = r.Rows+found.Rows, r.More+found.More, r.Stale+found.Stale
			r.Differences = append(r.Differences, found.Differences...)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	r.Unchecked = append(r.Unchecked, orgID)
	return nil
}

func (v *Verifier) counter(ctx context.Context, orgID string) (counter uint64, err error) {
	err = v.each(ctx, v.params(orgID), "SELECT max(step) FROM stale_hours WHERE org_id = {org_id:String} AND "+cells.IsCounter,
		func(scan func(...any) error) error { return scan(&counter) })
	return counter, err
}

// compare compares all tables of an organization.
func (v *Verifier) compare(ctx context.Context, orgID string, found *Result) error {
	params := v.params(orgID)
	err := v.each(ctx, params, countSQL, func(scan func(...any) error) error { return scan(&found.Stale, &found.Rows) })
	if err != nil {
		return err
	}
	for _, c := range comparisons {
		shown := 0
		err := v.each(ctx, params, c.sql, func(scan func(...any) error) error {
			d := Difference{OrgID: orgID, Table: c.table}
			if shown++; shown > maxShown {
				found.More++
				return nil
			}
			err := scan(&d.Row, &d.Stored, &d.Expected)
			found.Differences = append(found.Differences, d)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (v *Verifier) params(orgID string) clickhouse.Params {
	params := clickhouse.Params{}
	params.String("org_id", orgID)
	return params
}

func (v *Verifier) each(ctx context.Context, params clickhouse.Params, statement string, scan func(func(...any) error) error) error {
	ctx, cancel := clickhouse.WithStatement(ctx, clickhouse.Statement{Comment: "orgstats verify", Limits: clickhouse.Limits{Time: statementTime}})
	defer cancel()
	return clickhouse.ForEach(clickhouse.WithParams(ctx, params), v.Conn, statement, scan)
}
