package engine

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// An engine that ended by itself is started again at once, and if that fails, or it ends again soon, after
	// firstRestart, then after twice as long, and so on up to lastRestart.
	firstRestart = time.Second
	lastRestart  = 30 * time.Second
	// steady is how long an engine must have run for its end to be a first one.
	steady = time.Minute

	// defaultSilence is far above what a machine with too much to do makes a ping wait, and below a person's patience.
	defaultSilence = time.Minute
	// pings is how often an engine is asked for a sign of life in that time.
	pings = 12
)

// Keeper keeps an engine running: when it ends by itself, or answers nothing for too long, the keeper starts it again,
// or joins the one that another process has started, and says so in the log.
type Keeper struct {
	options Options
	log     *slog.Logger
	cancel  context.CancelFunc
	stopped chan struct{}

	mu       sync.Mutex
	engine   *Engine // the last one that ran
	down     error   // why none runs, nil while one does
	restarts int
}

// Keep takes over an engine that was started with the options.
func Keep(e *Engine, o Options) *Keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{options: o, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), cancel: cancel, stopped: make(chan struct{}), engine: e}
	k.options.Port = e.state.TCPPort // so that whoever knows where it is finds it there again
	go k.keep(ctx, e)
	return k
}

// Engine is the engine that runs, or the last one that did.
func (k *Keeper) Engine() *Engine {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.engine
}

// State tells how often an engine was started again, and why none runs just now, nil while one does.
func (k *Keeper) State() (restarts int, down error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.restarts, k.down
}

// Address is where the engine's native protocol is, or was last.
func (k *Keeper) Address() string { return k.Engine().Owner().Address() }

// Close ends the keeping and gives the engine up.
func (k *Keeper) Close() error {
	k.cancel()
	<-k.stopped
	return k.Engine().Close()
}

// keep watches one engine after the other.
func (k *Keeper) keep(ctx context.Context, e *Engine) {
	defer close(k.stopped)
	for pause := time.Duration(0); ; {
		started := time.Now()
		if !k.await(ctx, e) {
			return
		}
		ended := time.Now()
		if ended.Sub(started) > steady {
			pause = 0
		}
		k.log.Error("the ClickHouse engine has ended; it will be started again", "error", e.Err(), "in", pause)
		k.set(e, e.Err())
		_ = e.Close() // of one that is gone: there is nothing that could fail but the waiting for it
		if e, pause = k.restart(ctx, pause); e == nil {
			return
		}
		k.set(e, nil)
		k.log.Info("the ClickHouse engine runs again", "pid", e.PID(), "after", time.Since(ended).Round(time.Millisecond))
	}
}

// await waits for the engine's end, and brings it about when it has been silent for too long. It reports false when ctx
// ended first.
func (k *Keeper) await(ctx context.Context, e *Engine) (ended bool) {
	silence := cmp.Or(k.options.Silence, defaultSilence)
	ticker := time.NewTicker(silence / pings)
	defer ticker.Stop()
	heard := time.Now()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-e.Done():
			return true
		case <-ticker.C:
		}
		if e.answers(ctx, silence/pings) {
			heard = time.Now()
		} else if time.Since(heard) > silence && ctx.Err() == nil {
			k.log.Error("the ClickHouse engine answers nothing; it is killed", "pid", e.PID(), "silent_for", time.Since(heard).Round(time.Second))
			_ = unix.Kill(e.PID(), unix.SIGKILL) // it may have ended just now
			heard = time.Now()
		}
	}
}

// answers tells whether the engine gives a sign of life in time.
func (e *Engine) answers(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return ping(ctx, e.Owner()) == nil
}

// restart tries until an engine runs, and returns nil when ctx ends before. Next is the pause before the next restart,
// if that should be needed soon.
func (k *Keeper) restart(ctx context.Context, pause time.Duration) (e *Engine, next time.Duration) {
	for {
		select {
		case <-ctx.Done():
			return nil, 0
		case <-time.After(pause):
		}
		pause = min(max(2*pause, firstRestart), lastRestart)
		e, err := Start(ctx, k.options)
		if err == nil {
			return e, pause
		}
		if ctx.Err() == nil {
			k.log.Error("the ClickHouse engine can't be started", "error", err, "next_attempt_in", pause)
			k.set(nil, err)
		}
	}
}

// set notes which engine runs, if it is another, and why none does.
func (k *Keeper) set(e *Engine, down error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e != nil && e != k.engine {
		k.engine = e
		k.restarts++
	}
	k.down = down
}
