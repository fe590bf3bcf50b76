package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// directory is a data directory: the names of what the engine keeps in it, and its locks.
type directory string

func (d directory) file(name string) string { return filepath.Join(string(d), name) }

func (d directory) data() string        { return d.file("clickhouse") }
func (d directory) config() string      { return d.file("engine.xml") }
func (d directory) users() string       { return d.file("users.xml") }
func (d directory) moreUsers() string   { return d.file("users.d") }
func (d directory) credentials() string { return d.file("credentials.json") }
func (d directory) state() string       { return d.file("engine.json") }
func (d directory) pipe() string        { return d.file("engine.pipe") }
func (d directory) log() string         { return d.file("engine.log") }
func (d directory) previousLog() string { return d.file("engine.previous.log") }
func (d directory) errorLog() string    { return d.file("engine.stderr.log") }

// prepareDirectory creates the data directory if it is missing and checks that it is writable.
func prepareDirectory(path string) (directory, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	d := directory(absolute)
	err = errors.Join(os.MkdirAll(d.data(), 0o700), os.MkdirAll(d.moreUsers(), 0o700))
	if err == nil {
		// The user may have created the data directory itself; the records inside it are private anyway.
		err = os.Chmod(d.data(), 0o700)
	}
	if err != nil {
		return "", fmt.Errorf("the data directory %s cannot be used (%w): give this user the right to write there, "+
			"or choose another directory (--data-dir, ORGSTATS_DATA_DIR)", absolute, err)
	}
	return d, nil
}

// retryDelay is the interval at which a condition of another process (a lock, a port, an answer) is checked again.
const retryDelay = 10 * time.Millisecond

// lockMembership acquires the lock under which processes join and leave the engine, and under which the engine decides
// to end, so that nobody joins an engine that has decided to end.
func (d directory) lockMembership(ctx context.Context) (*flock.Flock, error) {
	lock := flock.New(d.file("start.lock"), flock.SetPermissions(0o600))
	if _, err := lock.TryLockContext(ctx, retryDelay); err != nil {
		return nil, fmt.Errorf("another command is starting the engine of %s and does not come to an end: %w", d, err)
	}
	return lock, nil
}

// lockEngine acquires the lock that an engine holds for its whole life.
func (d directory) lockEngine(ctx context.Context) (*flock.Flock, error) {
	lock := flock.New(d.file("engine.lock"), flock.SetPermissions(0o600))
	_, err := lock.TryLockContext(ctx, retryDelay)
	return lock, err
}

// awaitVacancy waits until no engine holds the directory.
func (d directory) awaitVacancy(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, endLimit+10*time.Second)
	defer cancel()
	lock, err := d.lockEngine(ctx)
	if err == nil {
		return lock.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the lock of the data directory %s cannot be taken: %w", d, err)
	}
	old, _ := readState(d.state())
	return fmt.Errorf("the data directory %s is still held by an engine that does not end (process %d): "+
		"end it with `kill -9 %d` and try again: %w", d, old.PID, old.PID, err)
}
