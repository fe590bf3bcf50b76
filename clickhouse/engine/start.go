package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"golang.org/x/sys/unix"
)

// startLimit is how long an engine may take until it answers. Loading the metadata of large tables takes some of that
// time.
const startLimit = time.Minute

// errGone reports that the engine ended before it answered.
var errGone = errors.New("its process has ended")

// Start starts the engine on the data directory, or joins the one that runs there, and returns when it answers. The
// context bounds only the start. Every error is a sentence that says what to do; if the engine itself failed, it ends
// with the engine's last lines.
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
	e.close = sync.OnceValue(e.giveUp)
	go e.watch()
	return e, nil
}

// join joins the running engine. The error is errGone when none is running, or when it ends meanwhile.
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
	e.log.Info("joined the running engine", "data_dir", string(e.directory), "pid", e.state.PID, "port", e.state.TCPPort)
	if o.Port != 0 && o.Port != e.state.TCPPort {
		e.log.Warn("the running engine has another port than the wanted one", "port", e.state.TCPPort, "wanted", o.Port)
	}
	return nil
}

// await waits until the engine answers, and reads the state that it has recorded. The error is errGone when it ends
// first.
func (e *Engine) await(ctx context.Context) (err error) {
	if e.state, err = readState(e.directory.state()); err != nil {
		return err
	}
	err = poll(ctx, func() (bool, error) {
		select {
		case <-e.lease.gone:
			return true, errGone
		default:
		}
		err := ping(ctx, e.Owner())
		_, refused := errors.AsType[*clickhouse.Exception](err)
		return err == nil || refused, err
	})
	if errors.Is(err, errGone) {
		return err
	}
	if err != nil {
		return fmt.Errorf("the engine on %s cannot be used on port %d; see %s: %w", e.directory, e.state.TCPPort, e.directory.log(), err)
	}
	e.state, err = readState(e.directory.state())
	return err
}

func ping(ctx context.Context, c Connection) error {
	connection, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{c.Address()},
		Auth:        clickhouse.Auth{Database: c.Database, Username: c.User, Password: c.Password},
		DialTimeout: time.Second,
	})
	if err != nil {
		return err
	}
	return errors.Join(connection.Ping(ctx), connection.Close())
}
