package cli

import (
	"errors"
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/replica"
	"github.com/orgstats/orgstats/loader/verify"
)

type verifyCommand struct {
	databaseFlags
	Org []string `help:"Verify these organizations; all if not given." placeholder:"ORG"`
}

func (c *verifyCommand) Run(p *program) error {
	return c.with(p, func(db *database) error {
		return db.query(p.ctx, 2, func(conn clickhouse.Conn) error {
			v := verify.Verifier{Conn: conn}
			result, err := v.Run(p.ctx, c.Org, func(orgID string, r *verify.Result) {
				p.log.Info("verified", "org_id", orgID, "organizations", r.Organizations, "rows", r.Rows, "differences", len(r.Differences))
			})
			if err != nil {
				return err
			}
			return c.report(p, result)
		})
	})
}

// report prints what was found. It returns an error if anything differs or could not be compared.
func (c *verifyCommand) report(p *program, r *verify.Result) error {
	for _, d := range r.Differences {
		fmt.Fprintln(p.stdout, d)
	}
	if r.More > 0 {
		fmt.Fprintf(p.stdout, "and %d more\n", r.More)
	}
	fmt.Fprintf(p.stdout, "%d organizations, %d rows of cells and user activity", r.Organizations, r.Rows)
	if r.Stale > 0 {
		fmt.Fprintf(p.stdout, "; %d stale hours were left out, which answers take from the messages", r.Stale)
	}
	fmt.Fprintln(p.stdout)
	for _, orgID := range r.Unchecked {
		fmt.Fprintf(p.stdout, "organization %s was not compared: it did not stop changing\n", orgID)
	}
	if !r.OK() {
		return errors.New("not everything is as the messages say; see above, and fix it with orgstats rebuild")
	}
	_, err := fmt.Fprintln(p.stdout, "everything is as the messages say")
	return err
}

type rebuildCommand struct {
	databaseFlags
	Org []string `help:"Rebuild these organizations; all if not given." placeholder:"ORG"`
}

func (c *rebuildCommand) Run(p *program) error {
	return c.with(p, func(db *database) error {
		writer, err := replica.Open(p.ctx, db.replicas())
		if err != nil {
			return err
		}
		defer writer.Close()
		if err := writer.MarkAll(p.ctx, c.Org); err != nil {
			return err
		}
		hours := writer.Stale()
		p.log.Info("computing; answers come from the messages meanwhile", "hours", hours)
		if err := writer.Compute(p.ctx); err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "rebuilt the cells and the user activity of %d hours\n", hours)
		return err
	})
}
