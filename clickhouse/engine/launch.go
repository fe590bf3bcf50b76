package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
)

// launchAttempts is how often new ports are chosen when another program binds one between its choice and its use.
const launchAttempts = 3

// ErrKilled reports that the engine's process was killed while it started, by somebody or for lack of memory, so that
// retrying makes sense.
var ErrKilled = errors.New("its process was killed")

var errPortLost = errors.New("another program has just taken its port")

// launch starts a new engine.
func (e *Engine) launch(ctx context.Context, o Options) error {
	library, err := findLibrary(o.Library)
	if err != nil {
		return err
	}
	for range launchAttempts {
		if err = e.directory.awaitVacancy(ctx); err != nil {
			return err
		}
		if err = e.tryLaunch(ctx, library, o.Port); !errors.Is(err, errPortLost) {
			break
		}
	}
	if err != nil {
		return err
	}
	e.log.Info("started the engine", "data_dir", string(e.directory), "pid", e.state.PID, "port", e.state.TCPPort, "version", e.state.Version)
	return nil
}

func (e *Engine) tryLaunch(ctx context.Context, library string, port int) error {
	if err := e.configure(ctx, port); err != nil {
		return err
	}
	if err := e.spawn(library); err != nil {
		return err
	}
	err := e.await(ctx)
	if err == nil {
		return nil
	}
	if errors.Is(err, errGone) {
		<-e.exited
		words := lastWords(e.directory)
		if e.wasKilled() {
			err = ErrKilled
		} else if lostPort(words) {
			err = errPortLost
		}
		err = fmt.Errorf("the engine on %s did not start: %w: %s", e.directory, err, words)
	}
	// Nobody has joined the engine, because joining requires the lock that Start holds. Left alone, it would still
	// start, on a directory that others may have removed by then.
	_ = e.child.Process.Kill() // it may have ended
	<-e.exited
	return errors.Join(err, e.lease.release())
}

// lostPort reports whether an engine's last words say that one of its ports was in use. Whether it still is says
// nothing: it may have been the port of a connection that has ended since.
func lostPort(words string) bool {
	return strings.Contains(words, fmt.Sprintf("e.code() = %d,", syscall.EADDRINUSE))
}

// configure chooses the ports and writes all files that the engine's process reads.
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

// spawn starts the engine's process and acquires the first lease on it.
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
	input, end, err := os.Pipe()
	if err != nil {
		return err
	}
	defer input.Close()
	defer end.Close()
	otherEnd, terminal, err := openTerminal()
	if err != nil {
		return err
	}
	defer otherEnd.Close()
	defer terminal.Close()
	users, held, err := newPipe(e.directory.pipe())
	if err != nil {
		return err
	}
	defer users.Close()

	child := exec.Command(program, childArgument, library, string(e.directory))
	child.Stdin, child.Stderr = terminal, messages
	child.ExtraFiles = []*os.File{input, end, users, otherEnd} // in the order of inputDescriptor and what follows it
	child.Dir = string(e.directory)
	child.Env = childEnvironment(e.directory)
	// The engine gets a session of its own, because signals that the terminal sends to the program are not for the
	// engine.
	child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := child.Start(); err != nil {
		return errors.Join(fmt.Errorf("the engine's process cannot be started: %w", err), held.release())
	}
	e.lease, e.child = held, child
	e.reap()
	return nil
}

// childEnvironment returns an environment without the program's secrets, in which ClickHouse does not find the files of
// the user's home.
func childEnvironment(d directory) []string {
	environment := []string{"TZ=UTC", "HOME=" + d.data()}
	for _, name := range []string{"PATH", "LANG", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if value, ok := os.LookupEnv(name); ok {
			environment = append(environment, name+"="+value)
		}
	}
	return environment
}

// openLogs starts a new log, keeps the previous one, and opens the file for what ClickHouse writes outside its log.
func openLogs(d directory) (*os.File, error) {
	if err := os.Rename(d.log(), d.previousLog()); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(d.errorLog(), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
}
