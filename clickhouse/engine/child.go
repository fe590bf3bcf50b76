package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sys/unix"
)

// childArgument, as the first argument, makes the program run as the engine's process. The library and the directory
// follow.
const childArgument = "engine-child"

// The engine's process inherits these files from the process that starts it.
const (
	inputDescriptor    = 3 + iota // the pipe that ClickHouse reads
	endDescriptor                 // the pipe's writing end: closing it ends ClickHouse
	usersDescriptor               // the reading end of the users' pipe
	terminalDescriptor            // the other end of the terminal that is standard input
)

// endLimit is how long ClickHouse may take to shut down before its process exits anyway. No data is lost then.
const endLimit = 20 * time.Second

// childLockLimit is how long the child waits for the engine's lock. It is ample, because the starting process has just
// seen the lock free.
const childLockLimit = 5 * time.Second

// RunChildIfAsked runs the engine, and never returns, in a process that Start has started for it; in any other process
// it does nothing. A program that uses Start must call it first in main, and a test in TestMain.
func RunChildIfAsked() {
	if len(os.Args) != 4 || os.Args[1] != childArgument {
		return
	}
	if err := runChild(os.Args[2], directory(os.Args[3])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func runChild(path string, d directory) error {
	// The engine outlives the signals that its users get, and ends by itself when the last of them has ended.
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	unix.Umask(0o077)      // the records and the log are private, whatever directory the user has created for them
	runtime.LockOSThread() // ClickHouse needs a large stack: the main thread's

	var info unix.Stat_t
	if err := unix.Fstat(usersDescriptor, &info); err != nil || info.Mode&unix.S_IFMT != unix.S_IFIFO {
		return fmt.Errorf("%q is how this program starts its engine, and no command", childArgument)
	}
	for descriptor := inputDescriptor; descriptor <= terminalDescriptor; descriptor++ {
		unix.CloseOnExec(descriptor)
	}

	ctx, cancel := context.WithTimeout(context.Background(), childLockLimit)
	defer cancel()
	lock, err := d.lockEngine(ctx)
	if err != nil {
		return fmt.Errorf("another engine holds the data directory %s: %w", d, err)
	}
	defer lock.Close() // not earlier: a lock that nothing refers to anymore is garbage-collected, and thereby released
	library, err := openLibrary(path)
	if err != nil {
		return err
	}
	if err := recordChild(d, library.version()); err != nil {
		return err
	}
	go endWithUsers(d)
	return library.serve(d.config(), inputDescriptor)
}

// recordChild completes the state that the starting process wrote.
func recordChild(d directory, version string) error {
	s, err := readState(d.state())
	if err != nil {
		return err
	}
	if err := checkVersion(version, s.Version); err != nil {
		return err
	}
	s.PID, s.Version = os.Getpid(), version
	return writeJSON(d.state(), s)
}

// endWithUsers waits until no process uses the engine anymore, and ends ClickHouse.
func endWithUsers(d directory) {
	for !decideToEnd(d) {
	}
	time.AfterFunc(endLimit, func() { os.Exit(1) })
	_ = unix.Close(endDescriptor)
}

// decideToEnd waits for the end of the pipe. It reports false when somebody joined at the same moment. Otherwise it
// removes the pipe, under the lock that joining requires, so that later processes find no engine. A last user that
// closed the engine has removed the pipe already.
func decideToEnd(d directory) bool {
	_ = unix.SetNonblock(usersDescriptor, false)
	if _, err := unix.Read(usersDescriptor, make([]byte, 1)); errors.Is(err, unix.EINTR) {
		return false
	}
	var lock *flock.Flock
	err := context.DeadlineExceeded
	for errors.Is(err, context.DeadlineExceeded) {
		if !joinable(d) {
			return true // and the lock may be held by a process that waits for that
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*retryDelay)
		lock, err = d.lockMembership(ctx)
		cancel()
	}
	if err != nil {
		return true // the data directory itself has been removed
	}
	defer lock.Close()
	_ = unix.SetNonblock(usersDescriptor, true)
	if used, err := hasWriters(usersDescriptor); used && err == nil {
		return false
	}
	if err := os.Remove(d.pipe()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, err)
	}
	return true
}

// joinable reports whether the pipe by which others join is still this engine's.
func joinable(d directory) bool {
	var own, named unix.Stat_t
	return unix.Fstat(usersDescriptor, &own) == nil && unix.Stat(d.pipe(), &named) == nil && own.Dev == named.Dev && own.Ino == named.Ino
}
