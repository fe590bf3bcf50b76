package stats

import (
	"context"
	"sync"
	"time"
)

// flights makes equal calls that arrive together one call. The call is given up when nobody waits for it any more, and
// not before: it does not depend on the one who happened to come first.
type flights[K comparable, V any] struct {
	joinable time.Duration // how long after its start a call may be joined: what it tells may be as old as that

	mu    sync.Mutex
	under map[K]*flight[V]
}

type flight[V any] struct {
	started time.Time
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	value   V
	err     error
}

// do calls f, or waits for the call for the same key that is under way.
func (f *flights[K, V]) do(ctx context.Context, key K, call func(context.Context) (V, error)) (V, error) {
	f.mu.Lock()
	if f.under == nil {
		f.under = map[K]*flight[V]{}
	}
	joined, ok := f.under[key]
	if !ok || time.Since(joined.started) >= f.joinable {
		joined = f.start(ctx, key, call)
	}
	joined.waiting++
	f.mu.Unlock()

	select {
	case <-joined.done:
		return joined.value, joined.err
	case <-ctx.Done():
		f.leave(key, joined)
		var none V
		return none, context.Cause(ctx)
	}
}

func (f *flights[K, V]) start(ctx context.Context, key K, call func(context.Context) (V, error)) *flight[V] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := &flight[V]{started: time.Now(), cancel: cancel, done: make(chan struct{})}
	f.under[key] = started
	go func() {
		started.value, started.err = call(ctx)
		cancel()
		f.land(key, started)
		close(started.done)
	}()
	return started
}

// leave gives a call up when the last one who waited has left; whoever comes then starts another.
func (f *flights[K, V]) leave(key K, left *flight[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if left.waiting--; left.waiting == 0 {
		left.cancel()
		if f.under[key] == left {
			delete(f.under, key)
		}
	}
}

func (f *flights[K, V]) land(key K, landed *flight[V]) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.under[key] == landed {
		delete(f.under, key)
	}
}
