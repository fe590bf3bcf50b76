package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"time"

	"github.com/orgstats/orgstats/loader/postgres"
	"github.com/orgstats/orgstats/loader/postgres/mapping"
	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/service/metrics"
)

type replicateCommand struct {
	databaseFlags
	metricsFlags
	SourceURL       string        `name:"source-url" help:"The PostgreSQL database to replicate: postgres://user:password@host:5432/database. Prefer the environment variable: flags can be seen by others on the machine." env:"ORGSTATS_SOURCE_URL" placeholder:"URL"`
	Mapping         string        `help:"YAML file that maps tables and columns to records. Default: the mapping of the platform's own tables, which --print-mapping prints." env:"ORGSTATS_MAPPING" placeholder:"FILE"`
	Slot            string        `help:"Replication slot in PostgreSQL. It identifies the source: another name copies everything again. PostgreSQL keeps WAL for a slot until it is dropped." env:"ORGSTATS_SLOT" default:"orgstats" placeholder:"NAME"`
	Publication     string        `help:"Publication of the mapped tables. It is created if it is missing and the role has the right to." env:"ORGSTATS_PUBLICATION" default:"orgstats" placeholder:"NAME"`
	BatchRows       int           `help:"How many changes a batch has at most. Larger batches are faster while many changes arrive, and use more memory." env:"ORGSTATS_BATCH_ROWS" default:"10000" placeholder:"N" least:"1"`
	BatchTime       time.Duration `help:"How long a change may wait for its batch to fill. Less makes changes visible earlier, with more and smaller batches for ClickHouse to write." env:"ORGSTATS_BATCH_TIME" default:"500ms" placeholder:"TIME" least:"1ms"`
	SnapshotWorkers int           `help:"Connections that copy rows at the same time. More copy faster, as long as both databases have processors to spare." env:"ORGSTATS_SNAPSHOT_WORKERS" default:"2" placeholder:"N" least:"1"`
	Patience        time.Duration `help:"How long PostgreSQL or ClickHouse may be unreachable before the command fails." env:"ORGSTATS_PATIENCE" default:"24h" placeholder:"TIME" least:"1s"`
	Resync          []string      `help:"Copy these tables again while the others are followed; \"all\" starts over with a new slot. Records that the source no longer has are deleted at the end." placeholder:"TABLE,…"`
	PrintMapping    bool          `help:"Print the mapping and exit."`
	Check           bool          `help:"Check everything that replication needs, print how to fix what is missing, and exit. Every start checks the same first."`
	Status          bool          `help:"Print the state of the replication, which may be running, and exit."`

	mapping     mapping.Mapping
	mappingText []byte // as it is printed
}

func (c *replicateCommand) Run(p *program) (err error) {
	if c.PrintMapping {
		_, err := p.stdout.Write(c.mappingText)
		return err
	}
	target := &replicationTarget{flags: &c.databaseFlags, log: p.log}
	defer func() { err = errors.Join(err, target.close()) }()
	o := c.options(p, target)
	switch {
	case c.Check:
		return printCheck(p, o)
	case c.Status:
		return printStatus(p, o)
	}
	return c.replicate(p, o)
}

// replicate follows the source until the program is asked to stop.
func (c *replicateCommand) replicate(p *program, o postgres.Options) error {
	o.Monitor = &postgres.Monitor{}
	stop, err := c.metricsFlags.serve(metrics.Handler(ReplicationRegistry(o.Monitor), p.log), p.log)
	if err != nil {
		return err
	}
	defer stop()
	done := showReplication(p.stderr, p.log, o.Monitor)
	defer done()
	return postgres.Run(p.ctx, o)
}

func (c *replicateCommand) options(p *program, target *replicationTarget) postgres.Options {
	return postgres.Options{
		URL: c.SourceURL, Mapping: c.mapping, Slot: c.Slot, Publication: c.Publication,
		ClickHouse: target.open, OnStatement: p.OnStatement,
		BatchRows: c.BatchRows, BatchTime: c.BatchTime, SnapshotWorkers: c.SnapshotWorkers, Patience: c.Patience,
		Resync: c.Resync, Log: p.log,
	}
}

// slotName matches the names that PostgreSQL accepts for a slot.
var slotName = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)

// mistakes reads the mapping, once because it may come through a pipe, and returns everything that is wrong with the
// flags. To print the mapping, the source and the target need not be given.
func (c *replicateCommand) mistakes() []error {
	mappingMistake := c.readMapping()
	if c.PrintMapping {
		return []error{mappingMistake}
	}
	all := append(c.databaseFlags.mistakes(), c.metricsFlags.mistakes()...)
	if c.SourceURL == "" {
		all = append(all, errors.New("there is no source; set ORGSTATS_SOURCE_URL (--source-url) to postgres://user:password@host:5432/database"))
	} else if err := source.ValidateURL(c.SourceURL); err != nil {
		all = append(all, fmt.Errorf("--source-url (ORGSTATS_SOURCE_URL): %w", err))
	}
	if !slotName.MatchString(c.Slot) {
		all = append(all, fmt.Errorf("--slot (ORGSTATS_SLOT) is %q; it must be 1 to 63 lower-case letters, digits and underscores", c.Slot))
	}
	if c.Publication == "" {
		all = append(all, errors.New("--publication (ORGSTATS_PUBLICATION) is empty; name a publication"))
	}
	return append(all, mappingMistake)
}

// readMapping reads the mapping's file; without one, the mapping is that of the platform's own tables.
func (c *replicateCommand) readMapping() (err error) {
	if c.Mapping == "" {
		c.mapping, c.mappingText = mapping.Default(), mapping.DefaultText
		return nil
	}
	if c.mappingText, err = os.ReadFile(c.Mapping); err != nil {
		return fmt.Errorf("read the mapping (--mapping, ORGSTATS_MAPPING): %w", err)
	}
	c.mapping, err = mapping.Parse(c.Mapping, c.mappingText)
	return err
}
