package auth

import (
	"context"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// refreshEvery bounds how long a withdrawn key goes on verifying.
	refreshEvery = 10 * time.Minute
	// After a failure the next attempt comes after firstRetry, then after twice as long, and so on up to lastRetry.
	firstRetry = time.Second
	lastRetry  = 30 * time.Second
	// unknownGap is the least time between two fetches because of unknown key ids, whoever sent them. It bounds both
	// what a flood of made-up ids does to the endpoint and for how long it can hide a real rotation.
	unknownGap = 10 * time.Second
	// unknownWait is how long a token with an unknown key id waits for such a fetch.
	unknownWait = time.Second
)

// jwks is a key set kept from a JWKS endpoint. One goroutine fetches; readers of a known key hold no lock and wait for
// nothing. The last good set outlives any outage of the endpoint.
type jwks struct {
	fetch   fetchFunc
	log     *slog.Logger
	set     atomic.Pointer[keySet]    // nil until the first load
	failure atomic.Pointer[error]     // of the last attempt, nil if that was good
	last    atomic.Pointer[time.Time] // when the set was last fetched

	mu          sync.Mutex
	fetching    chan struct{} // closed when the fetch under way, or about to be, has ended; nil when there is none
	unknownFrom time.Time     // no fetch for an unknown key id before this

	wanted  chan struct{} // signals the goroutine to fetch now
	cancel  context.CancelFunc
	stopped chan struct{}
}

// keySet is what one answer of the endpoint held, by key id. It is never changed.
type keySet map[string]*rsa.PublicKey

// fetchFunc asks the endpoint. A set that it returns without error has at least one key.
type fetchFunc func(context.Context) (keySet, error)

// startJWKS begins to load the keys and returns at once.
func startJWKS(ctx context.Context, fetch fetchFunc, log *slog.Logger) *jwks {
	ctx, cancel := context.WithCancel(ctx)
	j := &jwks{fetch: fetch, log: log, wanted: make(chan struct{}, 1), cancel: cancel, stopped: make(chan struct{})}
	go j.keepFresh(ctx)
	return j
}

func (j *jwks) key(ctx context.Context, header map[string]any) (*rsa.PublicKey, error) {
	kid, err := keyID(header)
	if err != nil {
		return nil, err
	}
	set := j.set.Load()
	if set == nil {
		return nil, j.ready()
	}
	if key, ok := (*set)[kid]; ok {
		return key, nil
	}
	j.awaitFetch(ctx)
	if key, ok := (*j.set.Load())[kid]; ok {
		return key, nil
	}
	return nil, refuse(ReasonKeyID, fmt.Sprintf("no key of the instance has the kid %q", kid))
}

func (j *jwks) ready() error {
	if j.set.Load() != nil {
		return nil
	}
	if failure := j.failure.Load(); failure != nil {
		return fmt.Errorf("%w: %w", ErrKeysUnavailable, *failure)
	}
	return ErrKeysUnavailable
}

func (j *jwks) fetched() (last time.Time, followed bool) {
	if at := j.last.Load(); at != nil {
		last = *at
	}
	return last, true
}

func (j *jwks) close() {
	j.cancel()
	<-j.stopped
}

// awaitFetch has the set fetched again, unless that happened too recently, and waits for it a little.
func (j *jwks) awaitFetch(ctx context.Context) {
	fetched := j.requestFetch()
	if fetched == nil {
		return
	}
	patience := time.NewTimer(unknownWait)
	defer patience.Stop()
	select {
	case <-fetched:
	case <-patience.C:
	case <-ctx.Done():
	case <-j.stopped:
	}
}

// requestFetch returns a channel that is closed when the next fetch ends, or nil when there is not to be one now. A
// fetch under way is shared; only a new one counts against the limit.
func (j *jwks) requestFetch() <-chan struct{} {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fetching != nil {
		return j.fetching
	}
	now := time.Now()
	if now.Before(j.unknownFrom) {
		return nil
	}
	j.unknownFrom = now.Add(unknownGap)
	j.fetching = make(chan struct{})
	j.wanted <- struct{}{} // has room: beginFetch empties it while fetching is set
	return j.fetching
}

// keepFresh fetches at once, then whenever the time has come or a request asks for it.
func (j *jwks) keepFresh(ctx context.Context) {
	defer close(j.stopped)
	failures := 0
	for ctx.Err() == nil {
		if j.refresh(ctx) {
			failures = 0
		} else {
			failures++
		}
		next := time.NewTimer(pause(failures))
		select {
		case <-next.C:
		case <-j.wanted:
		case <-ctx.Done():
		}
		next.Stop()
	}
}

// pause returns how long to wait for the next fetch after so many failures in a row.
func pause(failures int) time.Duration {
	if failures == 0 {
		return refreshEvery
	}
	return min(firstRetry<<min(failures-1, 10), lastRetry)
}

// refresh fetches once and reports whether it got a set.
func (j *jwks) refresh(ctx context.Context) bool {
	j.beginFetch()
	defer j.endFetch()
	set, err := j.fetch(ctx)
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		j.failure.Store(&err)
		j.log.WarnContext(ctx, "The signing keys could not be fetched; those loaded before stay valid.",
			"error", err, "loaded", j.set.Load() != nil)
		return false
	}
	j.failure.Store(nil)
	now := time.Now()
	j.last.Store(&now)
	if old := j.set.Swap(&set); old == nil || !sameKeys(*old, set) {
		j.log.InfoContext(ctx, "The signing keys were loaded.", "kids", slices.Sorted(maps.Keys(set)))
	}
	return true
}

// beginFetch makes the fetch that now starts the one that tokens with unknown key ids wait for.
func (j *jwks) beginFetch() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.fetching == nil {
		j.fetching = make(chan struct{})
	}
	select {
	case <-j.wanted: // asked for just as the time had come: this fetch answers it
	default:
	}
}

func (j *jwks) endFetch() {
	j.mu.Lock()
	defer j.mu.Unlock()
	close(j.fetching)
	j.fetching = nil
}

func sameKeys(a, b keySet) bool {
	return maps.EqualFunc(a, b, func(x, y *rsa.PublicKey) bool { return x.Equal(y) })
}
