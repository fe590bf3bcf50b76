// Command bench measures orgstats on the embedded engine: its answers against the plain query, its HTTP service, and
// its loader. It generates its own records, the same ones each time, checks that both ways of answering agree, prints
// tables, and writes a JSON file.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/cmd/orgstats/flags"
)

type options struct {
	Messages     int           `help:"About how many messages to load; four in five belong to one organization." env:"BENCH_MESSAGES" default:"3000000" least:"1"`
	Dir          string        `help:"Where the loaded data is kept, and found again by the next run of the same size. Default: a temporary directory, removed at the end." env:"BENCH_DIR" placeholder:"DIR"`
	JSON         string        `help:"Where the figures go." name:"json" env:"BENCH_JSON" default:"bench.json" placeholder:"FILE"`
	Parts        []string      `help:"What to measure: loader, memory, queries, grouped, page, http, overload, trickle." env:"BENCH_PARTS" default:"loader,memory,queries,grouped,page,http,overload,trickle" enum:"loader,memory,queries,grouped,page,http,overload,trickle"`
	Rounds       int           `help:"How often each question is asked." env:"BENCH_ROUNDS" default:"20" least:"1"`
	QueryTime    time.Duration `help:"When the questions have taken this long, no further round begins; three are asked anyway." env:"BENCH_QUERY_TIME" default:"10m"`
	HTTPTime     time.Duration `help:"How long each kind of HTTP request is sent." name:"http-time" env:"BENCH_HTTP_TIME" default:"5s" least:"1s"`
	Clients      int           `help:"Concurrent HTTP clients." env:"BENCH_CLIENTS" default:"16" least:"1"`
	LoadMessages int           `help:"About how many messages the loader is measured with; 0: as many as are loaded, up to a million." env:"BENCH_LOAD_MESSAGES" default:"0" least:"0"`
	LoadRounds   int           `help:"How often the loader is measured." env:"BENCH_LOAD_ROUNDS" default:"3" least:"1"`
	LoadProfile  string        `help:"Where a profile of the loader goes, for go tool pprof and for the compiler." env:"BENCH_LOAD_PROFILE" placeholder:"FILE"`
	MemoryBound  int64         `help:"Bound of the memory of the service that is asked about many organizations, in bytes." env:"BENCH_MEMORY_BOUND" default:"536870912" least:"1"`
	MemoryTime   time.Duration `help:"How long it is asked; as long as it takes to reach the bound, and longer." env:"BENCH_MEMORY_TIME" default:"3m" least:"1s"`
	TrickleTime  time.Duration `help:"How long messages trickle in." env:"BENCH_TRICKLE_TIME" default:"25s" least:"1s"`
	TrickleRate  int           `help:"Messages a second that trickle in." env:"BENCH_TRICKLE_RATE" default:"1000" least:"1"`
}

func main() {
	engine.RunChildIfAsked()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second Ctrl-C ends the program at once
	var o options
	parsed := kong.Parse(&o, kong.Name("bench"), kong.Description("Measures orgstats on the embedded engine, with records of its own."))
	err := errors.Join(flags.OutOfBounds(parsed.Flags())...)
	if err == nil {
		err = run(ctx, o, os.Stdout, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	}
	if err != nil {
		if ctx.Err() != nil {
			err = errors.New("stopped before the end; the parts that came to their end are printed, and in the JSON file")
		}
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type bench struct {
	options
	dir    directory
	log    *slog.Logger
	out    io.Writer
	report *report
}

func run(ctx context.Context, o options, out io.Writer, log *slog.Logger) (err error) {
	o.LoadMessages = cmp.Or(o.LoadMessages, min(o.Messages, 1_000_000))
	dir, err := openDirectory(o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dir.close()) }()
	b := &bench{options: o, dir: dir, log: log, out: out, report: newReport(o)}
	defer func() { err = errors.Join(err, b.saveReport()) }()
	return b.parts(ctx)
}

// parts measures one part after the other, and prints each when it is done. The loader's part comes first, because
// Linux counts the memory that a program had when it started another one as the other one's.
func (b *bench) parts(ctx context.Context) error {
	measure := map[string]func(context.Context, *database) error{
		"queries": b.measureQueries, "grouped": b.measureGrouped, "page": b.measurePage, "http": b.measureHTTP, "overload": b.measureOverload,
		"trickle": b.measureTrickle,
	}
	if slices.Contains(b.Parts, "loader") {
		if err := b.measureLoader(ctx); err != nil {
			return fmt.Errorf("measure the loader: %w", err)
		}
	}
	if slices.Contains(b.Parts, "memory") {
		if err := b.measureMemory(ctx); err != nil {
			return fmt.Errorf("measure memory: %w", err)
		}
	}
	if !slices.ContainsFunc(b.Parts, func(part string) bool { return measure[part] != nil }) {
		return nil
	}
	return b.withDatabase(ctx, func(db *database) error {
		for _, part := range []string{"queries", "grouped", "page", "http", "overload", "trickle"} {
			if !slices.Contains(b.Parts, part) {
				continue
			}
			if err := measure[part](ctx, db); err != nil {
				return fmt.Errorf("measure %s: %w", part, err)
			}
		}
		return nil
	})
}

// saveReport writes the JSON file with what was measured so far.
func (b *bench) saveReport() error {
	path, err := filepath.Abs(b.JSON)
	if err != nil {
		return err
	}
	if err := writeJSON(path, b.report); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	_, err = fmt.Fprintf(b.out, "\nThe figures are in %s\n", path)
	return err
}
