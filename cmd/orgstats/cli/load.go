package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/orgstats/orgstats/loader"
)

type loadCommand struct {
	databaseFlags
	Files   []string `arg:"" name:"file" help:"Newline-delimited JSON, plain or compressed with gzip or zstd; \"-\" is standard input. Files are loaded in this order."`
	Rejects string   `help:"File for the lines that are not records, each with its reason. It is created with the first such line, and must not exist yet. Default: orgstats-rejects-TIME.ndjson in the current directory." placeholder:"FILE"`
}

// loadMemory is the memory limit of a load. On a busy machine the load would outgrow it otherwise.
const loadMemory = 440 << 20

func (c *loadCommand) Run(p *program) error {
	limitMemory(loadMemory)
	return c.with(p, func(db *database) error { return c.load(p, db, loader.Files(c.Files)) })
}

func (c *loadCommand) load(p *program, db *database, inputs []loader.Input) error {
	if c.Rejects == "" {
		c.Rejects = "orgstats-rejects-" + time.Now().UTC().Format("20060102T150405.000Z") + ".ndjson"
	}
	progress := &loader.Progress{}
	done := showProgress(p.stderr, p.log, progress)
	summary, err := loader.Load(p.ctx, loader.Options{
		Inputs: inputs, Replicas: db.replicas(), Rejects: c.Rejects, Log: p.log, Progress: progress,
	})
	done()
	err = errors.Join(err, summary.Print(p.stdout))
	if err != nil && p.ctx.Err() != nil {
		return fmt.Errorf("the load was stopped; what the summary counts as loaded is kept, and loading the same files again takes the rest")
	}
	if err == nil && summary.Rejected() > 0 {
		return &rejectedError{summary.Rejected()}
	}
	return err
}
