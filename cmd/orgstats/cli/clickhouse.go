package cli

import (
	"fmt"
	"io"

	"github.com/orgstats/orgstats/clickhouse/engine"
)

type clickhouseCommand struct{ databaseFlags }

func (c *clickhouseCommand) Run(p *program) error {
	return c.with(p, func(db *database) error {
		if db.engine == nil {
			_, err := fmt.Fprintln(p.stdout, "ORGSTATS_CLICKHOUSE_URL names a ClickHouse server; ask its operator for a user to read with.")
			return err
		}
		printConnection(p.stdout, db.engine)
		fmt.Fprintln(p.stdout, "\nPress Ctrl-C to let go of the engine.")
		select {
		case <-p.ctx.Done():
			return nil
		case <-db.gone():
			return db.engine.Err()
		}
	})
}

// printConnection writes how people connect to the embedded engine.
func printConnection(w io.Writer, e *engine.Engine) {
	analyst := e.Analyst()
	fmt.Fprintf(w, `ClickHouse %s for people, read-only:
  host %s, native port %d, HTTP port %d, database %s, user %s, password %s
  %s
  %s
`, e.Version(), analyst.Host, analyst.TCPPort, analyst.HTTPPort, analyst.Database, analyst.User, analyst.Password,
		analyst.ClientCommand(), analyst.CurlCommand("SELECT count() FROM messages FINAL"))
}
