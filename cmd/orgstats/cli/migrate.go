package cli

import (
	"fmt"

	"github.com/orgstats/orgstats/schema"
)

type migrateCommand struct {
	Up      migrateUpCommand      `cmd:"" help:"Migrate the schema to the version of this program. serve, load and replicate do it by themselves."`
	Down    migrateDownCommand    `cmd:"" help:"Revert migrations, newest first. The data in their tables is lost."`
	Version migrateVersionCommand `cmd:"" help:"Show the version of the schema."`
}

type migrateUpCommand struct{ databaseFlags }

func (c *migrateUpCommand) Run(p *program) error {
	return c.with(p, func(*database) error {
		_, err := fmt.Fprintf(p.stdout, "schema version %d\n", schema.Latest())
		return err
	})
}

type migrateDownCommand struct {
	databaseFlags
	Steps int `help:"How many migrations to revert." default:"1" least:"1"`
}

func (c *migrateDownCommand) Run(p *program) error {
	return c.asIs(p, func(db *database) error {
		if err := schema.Down(p.ctx, db.url, c.Steps); err != nil {
			return err
		}
		return printVersion(p, db)
	})
}

type migrateVersionCommand struct{ databaseFlags }

func (c *migrateVersionCommand) Run(p *program) error {
	return c.asIs(p, func(db *database) error { return printVersion(p, db) })
}

func printVersion(p *program, db *database) error {
	at, err := schema.Current(p.ctx, db.url)
	if err != nil {
		return err
	}
	dirty := ""
	if at.Dirty {
		dirty = ", dirty"
	}
	_, err = fmt.Fprintf(p.stdout, "schema version %d%s (this program's is %d)\n", at.Number, dirty, schema.Latest())
	return err
}
