// Package pgtest starts a real PostgreSQL for tests: a cluster of their own, which they may stop, kill and fail over as
// they like.
package pgtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// password is the superuser's, a word of its own so that a test sees where it is printed.
const password = "pgtest-secret"

// settings make the cluster small, quick and fit for logical decoding.
//
// Without fsync a crash of the machine would lose data, but no kill -9 does: what a process has written is the
// operating system's, and a commit is acknowledged only after its write. Shared memory is in files of the cluster's
// directory, which go with it though it is killed.
var settings = []string{
	"fsync=off", "wal_level=logical", "max_wal_senders=16", "max_replication_slots=16", "max_connections=60",
	"shared_buffers=32MB", "dynamic_shared_memory_type=mmap", "min_wal_size=4MB", "max_wal_size=32MB", "logical_decoding_work_mem=64kB",
	"listen_addresses=127.0.0.1", "unix_socket_directories=", // a path of a socket is too short for temporary directories
	"timezone=America/St_Johns", "datestyle=SQL,DMY", "intervalstyle=sql_standard", // what the program must not depend on
	"jit=off", // compiling a long query takes longer than running it on few rows
	"log_line_prefix=%m [%p] ",
}

// Cluster is a PostgreSQL cluster of one test. Its methods fail the test where they can't do what they say. They may be
// called from the test's goroutine only, but for URL.
type Cluster struct {
	testing.TB
	programs programs
	dir      string
	port     int
	settings []string

	process *exec.Cmd // nil while the cluster is down
	exited  chan struct{}
}

// Start makes a cluster with the database orgstats, in which the tables of package example are, and starts it. Further
// settings are as in postgresql.conf. With the test it is stopped and removed; a test that fails shows the end of its
// log. Clusters of one test binary have the same system identifier, as if they were of one backup.
func Start(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	c := newCluster(tb, settings)
	c.copyTemplate()
	c.Start()
	return c
}

// StartUnrelated makes a cluster as Start does, with a system identifier that no other cluster has.
func StartUnrelated(tb testing.TB, settings ...string) *Cluster {
	tb.Helper()
	c := newCluster(tb, settings)
	c.initialize()
	c.Start()
	c.createDatabase()
	return c
}

// newCluster makes the directory of a cluster, which is removed with the test.
func newCluster(tb testing.TB, more []string) *Cluster {
	tb.Helper()
	c := makeCluster(tb, more)
	tb.Cleanup(c.remove)
	return c
}

func makeCluster(tb testing.TB, more []string) *Cluster {
	tb.Helper()
	found, err := findPrograms()
	if err != nil {
		tb.Fatal(err)
	}
	// Not the test's own temporary directory: only the test's user may enter that one.
	dir, err := os.MkdirTemp("", "orgstats-postgres-*")
	if err != nil {
		tb.Fatal(err)
	}
	c := &Cluster{TB: tb, programs: found, dir: dir, settings: append(settings[:len(settings):len(settings)], more...)}
	if err := giveToServer(dir); err != nil {
		c.remove()
		tb.Fatal(err)
	}
	if c.port, err = freePort(); err != nil {
		tb.Fatal(err)
	}
	return c
}

// initialize makes the files of an empty cluster.
func (c *Cluster) initialize() {
	c.Helper()
	file := filepath.Join(c.dir, "password")
	if err := os.WriteFile(file, []byte(password), 0o644); err != nil {
		c.Fatal(err)
	}
	c.runProgram("initdb", "--pgdata", c.data(), "--username=postgres", "--pwfile", file, "--auth=scram-sha-256",
		"--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions", "--wal-segsize=1")
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) log() string { return filepath.Join(c.dir, "log") }

// remove ends what runs and removes all files.
func (c *Cluster) remove() {
	c.Kill()
	if c.Failed() {
		c.Logf("PostgreSQL on port %d said:\n%s", c.port, c.lastWords())
	}
	if err := os.RemoveAll(c.dir); err != nil {
		c.Error(err)
	}
}

// lastWords returns the end of the log.
func (c *Cluster) lastWords() string {
	const most = 3000
	text, _ := os.ReadFile(c.log()) // there is none before the first start
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return string(text)
}
