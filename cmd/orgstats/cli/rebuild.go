package cli

import (
	"fmt"

	"github.com/orgstats/orgstats/loader/replica"
)

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
