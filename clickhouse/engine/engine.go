// Package engine runs ClickHouse without a server: as a child process that opens ClickHouse's own library and serves
// the native protocol and HTTP on loopback.
//
// One data directory has one engine at a time. The first command that calls Start on the directory starts it, later
// ones join it while it runs, and it ends when the last of them has closed it or has exited, however that happened. It
// is never restarted implicitly: Done informs its users that it has ended without them, and a Keeper restarts it for
// those who want that.
//
// The engine's process is this program itself (RunChildIfAsked), so that a crash of ClickHouse does not crash the
// service. A named pipe in the data directory ties it to its users (lease).
package engine

import (
	"log/slog"
	"os/exec"
	"time"
)

// Options configure an engine. Only DataDir is required.
type Options struct {
	// DataDir holds the data, the generated passwords and the log. It is created if it is missing.
	DataDir string
	// Library is the path of libchdb. Empty: ORGSTATS_LIBCHDB, else libchdb.so beside the program, else
	// ../lib/libchdb.so.
	Library string
	// Port is the port of the native protocol. 0: the last start's port if it is free, else any free one.
	Port int
	// Silence is how long a kept engine may be unresponsive before it is killed and restarted. 0: a minute.
	Silence time.Duration
	// Log receives a message when the engine starts, is joined or ends. Nil: nothing is logged.
	Log *slog.Logger
}

// Engine is a running engine, as one of its users sees it.
type Engine struct {
	directory   directory
	state       state
	credentials credentials
	log         *slog.Logger

	lease  *lease
	child  *exec.Cmd       // nil for who joined
	exited <-chan struct{} // closed when the child has been reaped; nil for who joined

	done    chan struct{}
	failure error // set before done is closed
	close   func() error
}

// Owner returns the connection that may do everything, for the program itself.
func (e *Engine) Owner() Connection { return e.connection(ownerName, e.credentials.Owner) }

// Analyst returns the connection that may only read, within limits, for people.
func (e *Engine) Analyst() Connection { return e.connection(analystName, e.credentials.Analyst) }

// URL returns the owner's connection URL, including the password, as clickhouse-go's ParseDSN accepts it.
func (e *Engine) URL() string { return e.Owner().URL() }

// Version returns the library's version, as in 26.7.3: its year and month are ClickHouse's.
func (e *Engine) Version() string { return e.state.Version }

// PID returns the id of the engine's process.
func (e *Engine) PID() int { return e.state.PID }

// Done returns a channel that is closed when the engine has ended although nobody has closed it. Err then returns why.
func (e *Engine) Done() <-chan struct{} { return e.done }

// Err returns why the engine has ended, with its last words, and nil while it runs or after Close.
func (e *Engine) Err() error {
	select {
	case <-e.done:
		return e.failure
	default:
		return nil
	}
}

// Close releases the engine. If no other process uses it, Close waits until it has ended.
func (e *Engine) Close() error { return e.close() }

func (e *Engine) connection(user, password string) Connection {
	return Connection{
		User:     user,
		Password: password,
		Host:     loopback,
		TCPPort:  e.state.TCPPort,
		HTTPPort: e.state.HTTPPort,
		Database: Database,
	}
}
