// Package cli implements the commands of the program orgstats: one file for each, beside what they share.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/pprof"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/orgstats/orgstats/clickhouse/engine"
	"github.com/orgstats/orgstats/cmd/orgstats/flags"
)

// Exit statuses.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitRejected    = 2   // everything was loaded except for some lines, which were rejected
	exitInterrupted = 130 // a second signal stopped the program at once
)

// Options configure the program where it is embedded in another one, such as a test.
type Options struct {
	// OnStatement, if it is not nil, is called after every statement that wrote to the replicas.
	OnStatement func(statement string)
}

// Main runs the program with the arguments and streams of the process, and exits. In a process that was started as the
// embedded engine, it runs the engine.
func Main(o Options) {
	engine.RunChildIfAsked()
	ctx, stop := interruptible(context.Background())
	status := run(ctx, o, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}

// program is the environment of the commands.
type program struct {
	Options
	ctx    context.Context // ends at the first Ctrl-C or SIGTERM
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
	log    *slog.Logger
}

// commands are the subcommands and the flags that they all share.
type commands struct {
	logFlags
	profileFlags
	Serve      serveCommand      `cmd:"" help:"Answer requests for figures over HTTP."`
	Load       loadCommand       `cmd:"" help:"Load files of records."`
	Replicate  replicateCommand  `cmd:"" help:"Copy the tables of a PostgreSQL database and follow their changes."`
	Migrate    migrateCommand    `cmd:"" help:"Change or show the version of the database's schema."`
	Token      tokenCommand      `cmd:"" help:"Sign a token with the development key of the data directory, for serve --dev-auth."`
	Clickhouse clickhouseCommand `cmd:"" help:"Print how to connect to ClickHouse; with the embedded engine, start it and wait."`
	Explain    explainCommand    `cmd:"" help:"Show how a question is answered: its buckets, the SQL that fetches them, and what each statement reads."`
	Verify     verifyCommand     `cmd:"" help:"Compare every cell and every row of user activity with the messages."`
	Rebuild    rebuildCommand    `cmd:"" help:"Compute cells and user activity again, while the service goes on answering exactly."`
	Backup     backupCommand     `cmd:"" help:"Back the database up, while the service goes on answering."`
	Restore    restoreCommand    `cmd:"" help:"Restore a backup into an empty database."`
	Health     healthCommand     `cmd:"" help:"Report by the exit status whether the service on this machine is ready: for containers and supervisors."`
	Loadtest   loadtestCommand   `cmd:"" help:"Put a deployment under load as dashboards do, and report how it performs."`
	Demo       demoCommand       `cmd:"" help:"Load sample records, serve them, and print the dashboard's address and a request to try."`
	Version    versionCommand    `cmd:"" help:"Show the version, the commit, the toolchain and the engine that the program was built with."`
	OnlyName   kong.VersionFlag  `name:"version" help:"Show the version and exit."`
}

// rejectedError reports that everything was loaded except for some lines.
type rejectedError struct{ lines uint64 }

func (e *rejectedError) Error() string { return fmt.Sprintf("%d lines were rejected", e.lines) }

func newParser(c *commands, options ...kong.Option) *kong.Kong {
	return kong.Must(c, append(options, kong.Name("orgstats"),
		kong.Vars{"version": "orgstats " + readBuild().Version},
		kong.Description("Exact usage figures of an AI-agent platform's organizations, from ClickHouse."))...)
}

// Model returns the commands with their flags.
func Model() *kong.Application { return newParser(&commands{}).Model }

// run runs the whole program with its arguments, and returns its exit status.
func run(ctx context.Context, o Options, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	var c commands
	helped := false
	var wrong []error
	parser := newParser(&c,
		kong.UsageOnError(),
		kong.Resolvers(fileVariables(&wrong)),
		kong.Writers(stdout, stderr),
		kong.Exit(func(int) { helped = true }), // kong continues parsing after the help if its exit function returns
	)
	chosen, err := parser.Parse(args)
	if helped {
		return ExitOK
	}
	if err != nil {
		parser.FatalIfErrorf(err)
		return ExitFailed
	}
	if len(wrong) == 0 { // else the flags behind the files have no value, which is no mistake of its own
		wrong = mistakes(chosen)
	}
	if err := errors.Join(wrong...); err != nil {
		printErrors(stderr, err)
		return ExitFailed
	}
	p := &program{o, ctx, stdin, stdout, stderr, c.logger(stderr)}
	err = c.profiled(func() error { return chosen.Run(p) })
	if _, ok := errors.AsType[*rejectedError](err); ok {
		return ExitRejected
	}
	if err != nil {
		printErrors(stderr, err)
		return ExitFailed
	}
	return ExitOK
}

// mistakes returns everything that is wrong with the flags of the chosen command.
func mistakes(chosen *kong.Context) []error {
	all := flags.OutOfBounds(chosen.Flags())
	if command, ok := chosen.Selected().Target.Addr().Interface().(interface{ mistakes() []error }); ok {
		all = append(all, command.mistakes()...)
	}
	return all
}

// printErrors writes an error, or one line for each of several joined ones.
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

// interruptible returns a context that ends at the first Ctrl-C or SIGTERM, so that the program can shut down cleanly.
// The second signal stops it at once.
func interruptible(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		fmt.Fprintln(os.Stderr, "stopping; press Ctrl-C again to stop at once")
		cancel()
		<-signals
		os.Exit(exitInterrupted)
	}()
	return ctx, cancel
}

// profileFlags configure whether the program is profiled.
type profileFlags struct {
	CPUProfile string `name:"cpu-profile" help:"Where to write a CPU profile at the end, for go tool pprof. The embedded engine, which is another process, is not in it." placeholder:"FILE"`
}

// profiled runs do, and profiles it if the flags ask for that.
func (f *profileFlags) profiled(do func() error) (err error) {
	if f.CPUProfile == "" {
		return do()
	}
	file, err := os.Create(f.CPUProfile)
	if err != nil {
		return fmt.Errorf("write a profile: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return do()
}
