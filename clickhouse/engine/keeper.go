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
	// An engine that ended by itself is restarted at once, and if that fails, or it soon ends again, after
	// firstRestart, then after twice as long, and so on up to lastRestart.
	firstRestart = time.Second
	lastRestart  = 30 * time.Second
	// steady is how long an engine must have run for its end to count as the first one.
	steady = time.Minute

	// defaultSilence is far longer than a ping waits on an overloaded machine, and shorter than a person's patience.
	defaultSilence = time.Minute
	// pings is how often an engine is pinged within the time that it may be silent.
	pings = 12
)

// Keeper keeps an engine running: when it ends by itself, or is unresponsive for too long, the keeper restarts it, or
// joins the one that another process has started, and logs that.
type Keeper struct {
	options Options
	log     *slog.Logger
	cancel  context.CancelFunc
	stopped chan struct{}

	mu       sync.Mutex
	engine   *Engine // the last one that ran
	down     error   // why none is running; nil while one is
	restarts int
}

// Keep returns a keeper that takes over an engine that was started with the options.
func Keep(e *Engine, o Options) *Keeper {
	ctx, cancel := context.WithCancel(context.Background())
	k := &Keeper{options: o, log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), cancel: cancel, stopped: make(chan struct{}), engine: e}
	k.options.Port = e.state.TCPPort // so that clients that know the port find the engine there again
	go k.keep(ctx, e)
	return k
}

// Engine returns the running engine, or the last one that ran.
func (k *Keeper) Engine() *Engine {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.engine
}

// State returns how often an engine was restarted, and why none is running now; down is nil while one is.
func (k *Keeper) State() (restarts int, down error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.restarts, k.down
}

// Address returns the address of the engine's native protocol, or its last one.
func (k *Keeper) Address() string { return k.Engine().Owner().Address() }

// Close stops keeping the engine and releases it.
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
		_ = e.Close() // the engine is gone: only waiting for it could fail
		if e, pause = k.restart(ctx, pause); e == nil {
			return
		}
		k.set(e, nil)
		k.log.Info("the ClickHouse engine runs again", "pid", e.PID(), "after", time.Since(ended).Round(time.Millisecond))
	}
}

// await waits for the engine's end, and kills the engine when it has been silent for too long. It reports false if ctx
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

// answers reports whether the engine answers a ping in time.
func (e *Engine) answers(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return ping(ctx, e.Owner()) == nil
}

// restart retries until an engine runs, and returns nil if ctx ends first. Next is the pause before the next restart,
// should one be needed soon.
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

// set stores which engine runs, if it is another one, and why none does.
func (k *Keeper) set(e *Engine, down error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if e != nil && e != k.engine {
		k.engine = e
		k.restarts++
	}
	k.down = down
}
