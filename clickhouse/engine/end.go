package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// watch closes Done when the engine ends by itself. It returns when the lease is released.
func (e *Engine) watch() {
	<-e.lease.ended
	select {
	case <-e.lease.gone:
		e.failure = fmt.Errorf("the engine on %s (process %d) ended unexpectedly: %s", e.directory, e.state.PID, lastWords(e.directory))
		close(e.done)
	default:
	}
}

func (e *Engine) giveUp() error {
	ctx, cancel := context.WithTimeout(context.Background(), endLimit)
	defer cancel()
	lock, err := e.directory.lockMembership(ctx)
	if err != nil {
		return errors.Join(err, e.lease.release())
	}
	last, err := e.leave()
	if err := errors.Join(err, lock.Close()); err != nil || !last {
		return err
	}
	e.log.Debug("the engine ends", "data_dir", string(e.directory))
	return e.awaitEnd()
}

// leave releases the lease, under the membership's lock, and reports whether it was the last. If so, it removes the
// pipe, because nobody may join an engine that is about to end.
func (e *Engine) leave() (last bool, err error) {
	pipe := e.directory.pipe()
	err = e.lease.release()
	used, usedErr := hasUsers(pipe)
	if err := errors.Join(err, usedErr); err != nil || used {
		return false, err
	}
	if err := os.Remove(pipe); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	return true, nil
}

// awaitEnd waits until the process has ended, or another engine has taken its place.
func (e *Engine) awaitEnd() error {
	ctx, cancel := context.WithTimeout(context.Background(), endLimit+childLockLimit)
	defer cancel()
	if e.exited != nil {
		select {
		case <-e.exited:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("the engine on %s (process %d) does not end: %w", e.directory, e.state.PID, ctx.Err())
		}
	}
	return poll(ctx, func() (bool, error) {
		if s, err := readState(e.directory.state()); err == nil && s.PID != e.state.PID {
			return true, nil
		}
		now, cancel := context.WithTimeout(ctx, retryDelay)
		defer cancel()
		lock, err := e.directory.lockEngine(now)
		if err != nil {
			return false, err
		}
		return true, lock.Close()
	})
}

// reap waits for the child, so that it does not remain as a zombie.
func (e *Engine) reap() {
	exited := make(chan struct{})
	e.exited = exited
	go func() {
		defer close(exited)
		_ = e.child.Wait() // its end is reported by the pipe and by what it has written
	}()
}

// wasKilled reports whether the child, which has exited, was killed.
func (e *Engine) wasKilled() bool {
	status, ok := e.child.ProcessState.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}
