package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
)

type loadtestCommand struct {
	databaseFlags
	URL      string        `name:"url" help:"The deployment." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Tokens   string        `help:"File with a token a line, whose callers ask; \"-\" is standard input. Without it, tokens are signed with the development key of the data directory, which only serve --dev-auth accepts." placeholder:"FILE"`
	Agents   []string      `name:"agent" help:"With --tokens: an agent to ask about. Without a database named, the load test knows no others." placeholder:"AGENT,…"`
	Metadata []string      `help:"With --tokens: metadata to ask about, as KEY=VALUE, KEY= or =VALUE." placeholder:"KEY=VALUE,…"`
	Rate     int           `help:"Requests a second, sent however slow the answers are; with --find-rate the first rate that is tried." default:"50" placeholder:"N" least:"1"`
	Duration time.Duration `help:"How long requests are sent; with --find-rate, at the rate that was found." default:"30s" placeholder:"TIME" least:"1s"`
	FindRate bool          `help:"Search the highest rate at which the 99th percentile stays under --p99 and nothing is shed or fails."`
	P99      time.Duration `name:"p99" help:"The bound of --find-rate." default:"100ms" placeholder:"TIME" least:"1ms"`
	Step     time.Duration `help:"How long --find-rate tries a rate. Longer is more reliable." default:"10s" placeholder:"TIME" least:"1s"`
	Timeout  time.Duration `help:"How long to wait for an answer." default:"30s" placeholder:"TIME" least:"1ms"`
	Verify   bool          `help:"Compare up to ten answers a second with the plain query, on the service's own database (--data-dir or --clickhouse-url). The plain queries are load for ClickHouse, too."`
	CacheAge time.Duration `help:"The service's --cache-age, so that --verify knows how old an answer may be." env:"ORGSTATS_CACHE_AGE" default:"1s" placeholder:"TIME" least:"0s"`
	Seed     uint64        `help:"Another seed draws other requests." default:"1"`
	JSON     string        `name:"json" help:"Where the report goes, too, with all figures." placeholder:"FILE"`
	SVG      string        `name:"svg" help:"Where a plot of the report goes." placeholder:"FILE"`
}

func (c *loadtestCommand) Run(p *program) error {
	if err := loadtest.Ready(p.ctx, c.URL); err != nil {
		return err
	}
	if c.ClickhouseURL == "" && c.Tokens != "" && !c.Verify {
		return c.run(p, nil)
	}
	return c.asIs(p, func(db *database) error {
		return db.query(p.ctx, 4, func(conn clickhouse.Conn) error { return c.run(p, conn) })
	})
}

func (c *loadtestCommand) mistakes() []error {
	all := c.databaseFlags.mistakes()
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
		all = append(all, fmt.Errorf("--url is %q; it has the form http://127.0.0.1:8080", c.URL))
	}
	if c.Tokens == "" && len(c.Agents)+len(c.Metadata) > 0 {
		all = append(all, errors.New("--agent and --metadata belong to --tokens; without it the load test takes those of the database"))
	}
	needsDirectory := c.Tokens == "" || c.Verify && c.ClickhouseURL == ""
	if _, err := os.Stat(c.DataDir); needsDirectory && err != nil {
		all = append(all, fmt.Errorf("the service's data directory can't be found (%w); name it with --data-dir, "+
			"or give the tokens of callers (--tokens) and, for --verify, the service's database (--clickhouse-url)", err))
	}
	return all
}

// run runs the load test with the database, which is nil if none is needed.
func (c *loadtestCommand) run(p *program, conn clickhouse.Conn) (err error) {
	population, err := c.population(p, conn)
	if err != nil {
		return err
	}
	options := loadtest.Options{URL: c.URL, Population: population, Seed: c.Seed, Timeout: c.Timeout}
	if c.Verify {
		if options.Verifier, err = loadtest.StartVerifier(p.ctx, conn, c.CacheAge); err != nil {
			return err
		}
		defer func() { _, _ = options.Verifier.Close() }()
	}
	test, err := loadtest.New(options)
	if err != nil {
		return err
	}
	if err := test.AskOnce(p.ctx); err != nil {
		return err
	}
	report := test.Report()
	c.load(p, test, report)
	report.Interrupted = p.ctx.Err() != nil
	if options.Verifier != nil {
		verified, verifyErr := options.Verifier.Close()
		report.Verified, err = &verified, verifyErr
	}
	return errors.Join(err, c.write(p, report), report.Verdict())
}

func (c *loadtestCommand) load(p *program, test *loadtest.Test, report *loadtest.Report) {
	done := show(p.stderr, test.Progress, func() {
		if line := test.Progress(); line != "" {
			p.log.Info("under load", "progress", line)
		}
	})
	defer done()
	if !c.FindRate {
		report.Run = test.Run(p.ctx, c.Rate, c.Duration)
		return
	}
	report.Search, report.Run = test.FindRate(p.ctx, loadtest.SearchOptions{
		Bound: c.P99, Start: c.Rate, Step: c.Step, Confirm: c.Duration,
		Done: func(s loadtest.Step) {
			p.log.Info("tried a rate", "rate", s.Rate, "p99_ms", s.P99, "held", s.Held, "why", s.Why)
		},
	})
}

func (c *loadtestCommand) write(p *program, report *loadtest.Report) error {
	err := report.Print(p.stdout)
	for path, write := range map[string]func(io.Writer) error{c.JSON: report.JSON, c.SVG: report.SVG} {
		if path != "" {
			err = errors.Join(err, writeReport(path, write))
		}
	}
	return err
}

func writeReport(path string, write func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return errors.Join(write(file), file.Close())
}
