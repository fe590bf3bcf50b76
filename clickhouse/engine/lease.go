package engine

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lease is a process's hold on an engine: the writing end of a named pipe whose reading end the engine has. The kernel
// gives it back when the process ends, however it ends; when the last one is given back the engine reads the end of
// the pipe and ends too. The same pipe tells each holder when the engine has gone.
type lease struct {
	writer int
	wake   *os.File // closed to end the watch
	gone   chan struct{}
	ended  chan struct{}
}

// newPipe makes the named pipe of a new engine and opens both ends: the reader is for the engine.
func newPipe(path string) (reader *os.File, held *lease, err error) {
	// A pipe that a crashed engine left may still be held by its users, which are no users of the new one.
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
	// It was opened so only because a plain open waits for the first writer; the engine wants to wait for the last.
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

// openLease takes a hold on the running engine. The error is unix.ENXIO or unix.ENOENT when none runs.
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

// watch closes gone when the engine's end of the pipe is closed, and ends with the lease.
func (l *lease) watch(awake *os.File) {
	defer close(l.ended)
	defer awake.Close()
	// No events are asked for: the loss of the last reader is reported always.
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

// release gives the hold back.
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

// hasWriters asks a pipe that never carries anything: it is empty while it has writers and at its end without.
func hasWriters(fd int) (bool, error) {
	_, err := unix.Read(fd, make([]byte, 1))
	if errors.Is(err, unix.EAGAIN) {
		return true, nil
	}
	return false, err
}
