// Command orgstats loads an AI-agent platform's records into ClickHouse and serves figures from there.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/alecthomas/kong"

	"github.com/orgstats/orgstats/clickhouse/engine"
)

// Exit statuses.
const (
	exitOK       = 0
	exitFailed   = 1
	exitRejected = 2 // everything was taken but some lines, which were rejected
)

func main() {
	engine.RunChildIfAsked()
	ctx, stop := interruptible(context.Background())
	status := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// program is what the commands get from their surroundings.
type program struct {
	ctx    context.Context // ends at the first Ctrl-C or SIGTERM
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

// commands are the subcommands and the flags that all of them share.
type commands struct {
	logFlags
	profileFlags
	Serve      serveCommand      `cmd:"" help:"Answer getStats over HTTP."`
	Load       loadCommand       `cmd:"" help:"Load files of records."`
	Replicate  replicateCommand  `cmd:"" help:"Copy the tables of a PostgreSQL database and follow their changes."`
	Migrate    migrateCommand    `cmd:"" help:"Change or show the version of the database's schema."`
	Token      tokenCommand      `cmd:"" help:"Sign a token with the development key of the data directory, for serve --dev-auth."`
	Clickhouse clickhouseCommand `cmd:"" help:"Print how to connect to ClickHouse; with the embedded engine, start it and wait."`
	Explain    explainCommand    `cmd:"" help:"Show how a question is answered: the plan, its SQL, and what each part reads."`
	Verify     verifyCommand     `cmd:"" help:"Compare every cell and every row of user activity with the messages."`
	Rebuild    rebuildCommand    `cmd:"" help:"Compute cells and user activity anew, while the service goes on answering exactly."`
	Backup     backupCommand     `cmd:"" help:"Back the database up, while the service goes on answering."`
	Restore    restoreCommand    `cmd:"" help:"Bring a backup back, into an empty database."`
	Health     healthCommand     `cmd:"" help:"Tell by the exit status whether the service on this machine is ready: for containers and supervisors."`
	Loadtest   loadtestCommand   `cmd:"" help:"Put a deployment under load as dashboards do, and report how it bears it."`
	Demo       demoCommand       `cmd:"" help:"Load sample records and serve them, with a request to try."`
}

// rejectedError says that a load took everything but some lines.
type rejectedError struct{ lines uint64 }

func (e *rejectedError) Error() string { return fmt.Sprintf("%d lines were rejected", e.lines) }

// run is the whole program, from its arguments to its exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c commands
	helped := false
	files := &fileVariables{}
	parser, err := kong.New(&c,
		kong.Name("orgstats"),
		kong.Description("Exact usage figures of an AI-agent platform's organizations, from ClickHouse."),
		kong.UsageOnError(),
		kong.Resolvers(files),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }), // kong goes on parsing after the help where its exit returns
	)
	if err != nil {
		panic(err) // the commands' own declaration is wrong
	}
	chosen, err := parser.Parse(args)
	if helped {
		return exitOK
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return exitFailed
	}
	if len(files.mistakes) > 0 {
		printErrors(stderr, errors.Join(files.mistakes...))
		return exitFailed
	}
	p := &program{ctx, stdin, stdout, stderr, c.logger(stderr)}
	err = c.profiled(func() error { return chosen.Run(p) })
	if _, ok := errors.AsType[*rejectedError](err); ok {
		return exitRejected
	}
	if err != nil {
		printErrors(stderr, err)
		return exitFailed
	}
	return exitOK
}

// printErrors writes an error, and one line for each of several that are joined.
func printErrors(w io.Writer, err error) {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		fmt.Fprintln(w, "orgstats:", err)
		return
	}
	for _, e := range joined.Unwrap() {
		printErrors(w, e)
	}
}
