package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/orgstats/orgstats/loader/sample"
	"github.com/orgstats/orgstats/schema"
)

// until is the instant at which the records end. It is fixed, so that every run has the same records and the same
// windows.
var until = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

const (
	days          = 365
	organizations = 200
	largestShare  = 0.8
)

// sampleOptions returns the options for a year of one large organization and many small organizations.
func sampleOptions(messages int) sample.Options {
	return sample.Options{Seed: 1, Messages: messages, Organizations: organizations, Until: until, Days: days, LargestShare: largestShare}
}

// directory holds the data of a benchmark, and a file that describes the data.
type directory struct {
	path      string
	temporary bool
	contents  contents
}

type contents struct {
	Options  sample.Options
	Schema   uint           // version of the tables
	Loaded   bool           // false: loading it was begun
	Summary  sample.Summary // once it is loaded
	Trickles int            // how many were started: each writes to an hour of its own
}

const contentsFile = "bench-contents.json"

func (d *directory) file(name string) string { return filepath.Join(d.path, name) }

// openDirectory opens the directory that the options name, which must be empty or already hold the same records, or
// creates a temporary one.
func openDirectory(o options) (directory, error) {
	wanted := contents{Options: sampleOptions(o.Messages), Schema: schema.Latest()}
	if o.Dir == "" {
		path, err := os.MkdirTemp("", "orgstats-bench-*")
		return directory{path: path, temporary: true, contents: wanted}, err
	}
	path, err := filepath.Abs(o.Dir)
	if err != nil {
		return directory{}, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return directory{}, err
	}
	d := directory{path: path, contents: wanted}
	return d, d.read()
}

func (d *directory) read() error {
	text, err := os.ReadFile(d.file(contentsFile))
	if errors.Is(err, fs.ErrNotExist) {
		return d.expectEmpty()
	}
	if err != nil {
		return err
	}
	var there contents
	if err := json.Unmarshal(text, &there); err != nil {
		return fmt.Errorf("%s can't be read (%w); remove %s or name another directory", d.file(contentsFile), err, d.path)
	}
	if there.Options != d.contents.Options || there.Schema != d.contents.Schema {
		return fmt.Errorf("%s holds the records of another benchmark (%d messages, tables of version %d; wanted are %d and %d); remove it or name another directory",
			d.path, there.Options.Messages, there.Schema, d.contents.Options.Messages, d.contents.Schema)
	}
	d.contents = there
	return nil
}

// expectEmpty returns an error if the directory holds something else, so that the benchmark's records are not written
// there.
func (d *directory) expectEmpty() error {
	entries, err := os.ReadDir(d.path)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s (BENCH_DIR) holds something that is not of a benchmark; name an empty directory", d.path)
	}
	return err
}

func (d *directory) write() error { return writeJSON(d.file(contentsFile), d.contents) }

func (d *directory) close() error {
	if !d.temporary {
		return nil
	}
	return os.RemoveAll(d.path)
}

// writeJSON replaces a file atomically.
func writeJSON(path string, content any) error {
	text, err := json.MarshalIndent(content, "", "  ")
	if err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(next, path)
}
