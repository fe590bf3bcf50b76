package engine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lease is a process's hold on an engine: the writing end of a named pipe whose reading end the engine has. The kernel
// releases it when the process ends, however it ends; when the last lease is released, the engine reads the end of the
// pipe and ends too. The same pipe informs each holder when the engine is gone.
type lease struct {
	writer int
	wake   *os.File // closed to stop watching
	gone   chan struct{}
	ended  chan struct{}
}

// newPipe creates the named pipe of a new engine and opens both ends; the reader is for the engine.
func newPipe(path string) (reader *os.File, held *lease, err error) {
	// A pipe that a crashed engine left behind may still be held by its users, which are not users of the new one.
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return nil, nil, fmt.Errorf("the named pipe %s cannot be made (%w): the data directory must be on a file system that has them", path, err)
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("the named pipe %s cannot be opened: %w", path, err)
	}
	// The pipe was opened as non-blocking only because a plain open waits for the first writer; the engine's reads must
	// wait for the last.
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, nil, errors.Join(err, unix.Close(fd))
	}
	reader = os.NewFile(uintptr(fd), path)
	held, err = openLease(path)
	if err != nil {
		return nil, nil, errors.Join(err, reader.Close())
	}
	return reader, held, nil
}

// openLease acquires a lease on the running engine. The error is unix.ENXIO or unix.ENOENT when none runs.
func openLease(path string) (*lease, error) {
	writer, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	awake, wake, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(err, unix.Close(writer))
	}
	l := &lease{writer: writer, wake: wake, gone: make(chan struct{}), ended: make(chan struct{})}
	go l.watch(awake)
	return l, nil
}

// watch closes gone when the engine's end of the pipe is closed, and returns when the lease is released.
func (l *lease) watch(awake *os.File) {
	defer close(l.ended)
	defer awake.Close()
	// No events are requested, because the loss of the last reader is always reported.
	polled := []unix.PollFd{{Fd: int32(l.writer)}, {Fd: int32(awake.Fd())}}
	for {
		_, err := unix.Poll(polled, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if polled[0].Revents != 0 {
			close(l.gone)
		}
		return
	}
}

// release releases the lease.
func (l *lease) release() error {
	err := l.wake.Close()
	<-l.ended
	return errors.Join(err, unix.Close(l.writer))
}

// hasUsers reports whether any process holds the pipe for writing.
func hasUsers(path string) (bool, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = unix.Close(fd) }()
	return hasWriters(fd)
}

// hasWriters reports whether a pipe that never carries data has writers: a read finds it empty while it has writers,
// and at its end otherwise.
func hasWriters(fd int) (bool, error) {
	_, err := unix.Read(fd, make([]byte, 1))
	if errors.Is(err, unix.EAGAIN) {
		return true, nil
	}
	return false, err
}
