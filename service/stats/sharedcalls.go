package stats

import (
	"context"
	"sync"
	"time"
)

// sharedCalls makes equal calls that arrive together one call. Beside what golang.org/x/sync/singleflight does, a call
// is canceled when nobody waits for it any more, and not before: it does not depend on the caller who happened to come
// first. And it is joined for a bounded time only.
type sharedCalls[K comparable, V any] struct {
	joinable time.Duration // how long after its start a call may be joined: its result may be as old as that

	mu    sync.Mutex
	calls map[K]*sharedCall[V]
}

type sharedCall[V any] struct {
	started time.Time
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	value   V
	err     error
}

// do calls f, or waits for the call with the same key that is under way.
func (s *sharedCalls[K, V]) do(ctx context.Context, key K, f func(context.Context) (V, error)) (V, error) {
	s.mu.Lock()
	if s.calls == nil {
		s.calls = map[K]*sharedCall[V]{}
	}
	call, ok := s.calls[key]
	if !ok || time.Since(call.started) >= s.joinable {
		call = s.start(ctx, key, f)
	}
	call.waiting++
	s.mu.Unlock()

	select {
	case <-call.done:
		return call.value, call.err
	case <-ctx.Done():
		s.leave(key, call)
		var none V
		return none, context.Cause(ctx)
	}
}

func (s *sharedCalls[K, V]) start(ctx context.Context, key K, f func(context.Context) (V, error)) *sharedCall[V] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	call := &sharedCall[V]{started: time.Now(), cancel: cancel, done: make(chan struct{})}
	s.calls[key] = call
	go func() {
		call.value, call.err = f(ctx)
		cancel()
		s.mu.Lock()
		s.forget(key, call)
		s.mu.Unlock()
		close(call.done)
	}()
	return call
}

// leave cancels a call when the last one who waited has left; whoever comes then starts another.
func (s *sharedCalls[K, V]) leave(key K, call *sharedCall[V]) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if call.waiting--; call.waiting == 0 {
		call.cancel()
		s.forget(key, call)
	}
}

// forget removes a call, unless another has taken its place. The lock must be held.
func (s *sharedCalls[K, V]) forget(key K, call *sharedCall[V]) {
	if s.calls[key] == call {
		delete(s.calls, key)
	}
}
