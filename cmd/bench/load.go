package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"github.com/orgstats/orgstats/cmd/orgstats/loadtest"
	"github.com/orgstats/orgstats/loader/sample"
)

// measureLoader alternately loads a file with `orgstats load` and inserts its lines as they are, each time into an
// empty database.
func (b *bench) measureLoader(ctx context.Context) error {
	program, err := builtProgram()
	if err != nil {
		return err
	}
	file := b.dir.file("load.ndjson")
	made, err := writeSample(ctx, file, sampleOptions(b.LoadMessages))
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file) }()
	records := made.Messages + made.Conversations + made.KBFiles + made.Members
	result := &loaderResult{Messages: made.Messages, Records: records}
	var loads, inserts loadtest.Latencies
	for round := range b.LoadRounds {
		b.log.Info("loading and inserting", "round", round+1, "of", b.LoadRounds, "records", records)
		load, inserted, err := b.loadOnce(ctx, program, file, records)
		if err != nil {
			return err
		}
		loads.Add(load.took)
		inserts.Add(inserted)
		result.PeakMemory = max(result.PeakMemory, load.peakMemory)
	}
	perSecond := func(l *loadtest.Latencies) float64 { return float64(made.Messages) / l.Quantile(0.5).Seconds() }
	result.LoadPerSecond, result.InsertPerSecond = perSecond(&loads), perSecond(&inserts)
	result.LoadToInsert = result.LoadPerSecond / result.InsertPerSecond
	b.report.Loader = result
	b.report.printLoader(b.out)
	return nil
}

// builtProgram returns the path of the orgstats that was built beside this program.
func builtProgram() (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	path := filepath.Join(filepath.Dir(self), "orgstats")
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("the program to measure is not there (%w): run `make bench`, which builds it", err)
	}
	return path, nil
}

func writeSample(ctx context.Context, path string, o sample.Options) (made sample.Summary, err error) {
	file, err := os.Create(path)
	if err != nil {
		return made, err
	}
	made, err = sample.Write(ctx, file, o)
	return made, errors.Join(err, file.Close())
}

// loadRun is one run of `orgstats load`.
type loadRun struct {
	took       time.Duration // from its start to its end
	peakMemory int64         // bytes, of the loader alone: the engine is another process
}

// loadOnce inserts the file's lines and loads the file, on one engine with an empty directory.
func (b *bench) loadOnce(ctx context.Context, program, file string, records int) (load loadRun, inserted time.Duration, err error) {
	dataDir := b.dir.file("load")
	defer func() { err = errors.Join(err, os.RemoveAll(dataDir)) }()
	e, err := b.startEngine(ctx, dataDir)
	if err != nil {
		return load, 0, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	if inserted, err = insertLines(ctx, e.Owner(), file, records); err != nil {
		return load, 0, fmt.Errorf("insert the lines as they are: %w", err)
	}
	// The tables must exist before either is timed.
	if err := runWhole(command(ctx, program, "migrate", "up", "--data-dir", dataDir)); err != nil {
		return load, 0, fmt.Errorf("make the tables: %w", err)
	}
	arguments := []string{"load", "--data-dir", dataDir, "--rejects", filepath.Join(dataDir, "rejects.ndjson"), file}
	if b.LoadProfile != "" {
		arguments = append(arguments, "--cpu-profile", b.LoadProfile)
	}
	c := command(ctx, program, arguments...)
	started := time.Now()
	if err := runWhole(c); err != nil {
		return load, 0, fmt.Errorf("load: %w", err)
	}
	load.took = time.Since(started)
	if usage, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		load.peakMemory = bytesOf(usage)
	}
	return load, inserted, nil
}

// killAfter is how long a loader may take to stop after it was asked to.
const killAfter = 30 * time.Second

// command returns a command that runs the program on the embedded engine, and asks it to stop when the context ends.
func command(ctx context.Context, program string, arguments ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, arguments...)
	c.Env = append(os.Environ(), "ORGSTATS_CLICKHOUSE_URL=")
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = killAfter
	return c
}

// runWhole runs a command to its end. The error contains the command's output.
func runWhole(c *exec.Cmd) error {
	if output, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, output)
	}
	return nil
}

// bytesOf returns the peak memory in bytes, because systems report it in different units.
func bytesOf(usage *syscall.Rusage) int64 {
	if runtime.GOOS == "darwin" {
		return usage.Maxrss
	}
	return usage.Maxrss << 10
}
