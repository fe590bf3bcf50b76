package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sys/unix"
)

// startLimit is how long an engine may take until it answers. Loading the metadata of large tables takes some of it.
const startLimit = time.Minute

// errGone says that the engine ended before it answered.
var errGone = errors.New("the engine is gone")

// Start starts the engine on the data directory, or joins the one that runs there, and returns when it answers. The
// context bounds the start only. Every error is a sentence that says what to do; where the engine itself has failed it
// ends with the engine's last words.
func Start(ctx context.Context, o Options) (*Engine, error) {
	if err := checkPlatform(runtime.GOOS + "/" + runtime.GOARCH); err != nil {
		return nil, err
	}
	d, err := prepareDirectory(o.DataDir)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	lock, err := d.lockMembership(ctx)
	if err != nil {
		return nil, err
	}
	defer lock.Close()

	e := &Engine{directory: d, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), done: make(chan struct{})}
	err = e.join(ctx, o)
	if errors.Is(err, errGone) {
		err = e.launch(ctx, o)
	}
	if err != nil {
		return nil, err
	}
	e.close = closeOnce(e)
	go e.watch()
	return e, nil
}

// join uses the engine that runs. The error is errGone when none does, or when it ends meanwhile.
func (e *Engine) join(ctx context.Context, o Options) (err error) {
	e.lease, err = openLease(e.directory.pipe())
	if errors.Is(err, unix.ENXIO) || errors.Is(err, unix.ENOENT) {
		return errGone
	}
	if err != nil {
		return fmt.Errorf("the running engine of %s cannot be joined: %w", e.directory, err)
	}
	e.credentials, err = readCredentials(e.directory.credentials())
	if err == nil {
		err = e.await(ctx)
	}
	if err != nil {
		return errors.Join(err, e.lease.release())
	}
	e.joined = true
	e.log.Info("joined the running engine", "dataDir", string(e.directory), "pid", e.state.PID, "port", e.state.TCPPort)
	if o.Port != 0 && o.Port != e.state.TCPPort {
		e.log.Warn("the running engine has another port than the wanted one", "port", e.state.TCPPort, "wanted", o.Port)
	}
	return nil
}

// launch starts a new engine.
func (e *Engine) launch(ctx context.Context, o Options) error {
	library, err := findLibrary(o.Library)
	if err != nil {
		return err
	}
	if err := e.directory.awaitVacancy(ctx); err != nil {
		return err
	}
	if err := e.configure(ctx, o.Port); err != nil {
		return err
	}
	if err := e.spawn(library); err != nil {
		return err
	}
	err = e.await(ctx)
	if errors.Is(err, errGone) {
		<-e.exited
		err = fmt.Errorf("the engine on %s did not start: %s", e.directory, lastWords(e.directory))
	}
	if err != nil {
		return errors.Join(err, e.lease.release())
	}
	e.log.Info("started the engine", "dataDir", string(e.directory), "pid", e.state.PID, "port", e.state.TCPPort, "version", e.state.Version)
	return nil
}

// configure chooses the ports and writes all that the engine's process reads.
func (e *Engine) configure(ctx context.Context, port int) error {
	s, err := readState(e.directory.state())
	if err != nil {
		return err
	}
	s.PID = 0
	if s.TCPPort, s.HTTPPort, err = choosePorts(ctx, port, s); err != nil {
		return err
	}
	e.credentials, err = makeCredentials(e.directory.credentials())
	if err != nil {
		return err
	}
	if err := writeConfig(e.directory, s, e.credentials); err != nil {
		return fmt.Errorf("the engine's configuration cannot be written: %w", err)
	}
	return writeJSON(e.directory.state(), s)
}

// spawn starts the engine's process and takes the first lease on it.
func (e *Engine) spawn(library string) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	messages, err := openLogs(e.directory)
	if err != nil {
		return err
	}
	defer messages.Close()
	input, inputWriter, err := os.Pipe()
	if err != nil {
		return err
	}
	defer input.Close()
	defer inputWriter.Close()
	reader, held, err := newPipe(e.directory.pipe())
	if err != nil {
		return err
	}
	defer reader.Close()

	child := exec.Command(program, childArgument, library, string(e.directory))
	child.Stdin, child.Stdout, child.Stderr = input, messages, messages
	child.ExtraFiles = []*os.File{inputWriter, reader} // see inputDescriptor, pipeDescriptor
	child.Dir = string(e.directory)
	child.Env = childEnvironment()
	// A session of its own: what the terminal sends to the program is not for the engine.
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return errors.Join(fmt.Errorf("the engine's process cannot be started: %w", err), held.release())
	}
	e.lease, e.exited = held, reap(child)
	return nil
}

// childEnvironment leaves the program's secrets out.
func childEnvironment() []string {
	environment := []string{"TZ=UTC"}
	for _, name := range []string{"HOME", "PATH", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// openLogs begins a new log, keeps the one before, and opens the file for what ClickHouse writes past its log.
func openLogs(d directory) (*os.File, error) {
	if err := os.Rename(d.log(), d.previousLog()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(d.errorLog(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
}

// await waits until the engine answers, and reads what it has recorded. The error is errGone when it ends before.
func (e *Engine) await(ctx context.Context) error {
	err := poll(ctx, func() (bool, error) {
		select {
		case <-e.lease.gone:
			return true, errGone
		default:
		}
		var err error
		if e.state, err = readState(e.directory.state()); err != nil {
			return true, err
		}
		err = ping(ctx, e.Owner())
		if refusal, ok := errors.AsType[*clickhouse.Exception](err); ok {
			return true, refusal
		}
		return err == nil, err
	})
	if err == nil || errors.Is(err, errGone) {
		return err
	}
	return fmt.Errorf("the engine on %s (process %d) does not answer on port %d; see %s: %w",
		e.directory, e.state.PID, e.state.TCPPort, e.directory.log(), err)
}

func ping(ctx context.Context, c Connection) error {
	connection, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{c.address()},
		Auth:        clickhouse.Auth{Database: c.Database, Username: c.User, Password: c.Password},
		DialTimeout: time.Second,
	})
	if err != nil {
		return err
	}
	return errors.Join(connection.Ping(ctx), connection.Close())
}

