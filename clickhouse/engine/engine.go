// Package engine runs ClickHouse without a server: as a child process that opens ClickHouse's own library and serves
// the native protocol and HTTP on loopback.
//
// One data directory has one engine at a time. The first command that calls Start on the directory starts it, those
// that come while it runs join it, and it ends when the last of them has closed it or has ended, however that was. It
// is never started again behind anybody's back: Done tells its users when it has ended without them, and who wants it
// to be started again then says so with a Keeper.
//
// The engine's process is this program itself (RunChildIfAsked), so that a crash of ClickHouse is not one of the
// service. What ties it to its users is a named pipe in the data directory (lease).
package engine

import (
	"log/slog"
	"os/exec"
	"time"
)

// Options say which engine is wanted. Only DataDir is required.
type Options struct {
	// DataDir keeps the data, the generated passwords and the log. It is made when it is missing.
	DataDir string
	// Library is the path of libchdb. Empty: ORGSTATS_LIBCHDB, else libchdb.so beside the program, else
	// ../lib/libchdb.so.
	Library string
	// Port is the port of the native protocol. 0: the one of last time if it is free, else any free one.
	Port int
	// Silence is how long a kept engine may answer nothing before it is killed and started again. 0: a minute.
	Silence time.Duration
	// Log is told when the engine starts, is joined and ends. Nil: nothing is logged.
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

// Owner returns the connection that may do everything: the program's.
func (e *Engine) Owner() Connection { return e.connection(ownerName, e.credentials.Owner) }

// Analyst returns the connection that may only read, within limits: the people's.
func (e *Engine) Analyst() Connection { return e.connection(analystName, e.credentials.Analyst) }

// URL returns the owner's connection, password included, as clickhouse-go's ParseDSN takes it.
func (e *Engine) URL() string { return e.Owner().URL() }

// Version returns the library's version, as in 26.7.3: its year and month are ClickHouse's.
func (e *Engine) Version() string { return e.state.Version }

// PID returns the engine's process.
func (e *Engine) PID() int { return e.state.PID }

// Done is closed when the engine has ended although nobody has closed it. Err then says why.
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

// Close gives the engine up. When no other process uses it, Close waits until it has ended.
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
