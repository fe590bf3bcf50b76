package stats

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestEqualCallsAreOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sharedCalls[string, int]{joinable: time.Second}
		calls := 0
		var waiting sync.WaitGroup
		for range 10 {
			waiting.Go(func() {
				v, err := f.do(t.Context(), "q", func(context.Context) (int, error) {
					calls++
					time.Sleep(100 * time.Millisecond)
					return 42, nil
				})
				if v != 42 || err != nil {
					t.Errorf("got %d, %v, want 42", v, err)
				}
			})
		}
		waiting.Wait()
		if calls != 1 {
			t.Errorf("%d calls were made, want 1", calls)
		}
		if len(f.calls) != 0 {
			t.Errorf("%d calls are remembered, want none", len(f.calls))
		}
	})
}

func TestOldCallIsNotJoined(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sharedCalls[string, int]{joinable: time.Second}
		release := make(chan struct{})
		go func() {
			_, _ = f.do(t.Context(), "q", func(context.Context) (int, error) { <-release; return 1, nil })
		}()
		time.Sleep(1100 * time.Millisecond)
		v, err := f.do(t.Context(), "q", func(context.Context) (int, error) { return 2, nil })
		if v != 2 || err != nil {
			t.Errorf("got %d, %v, want the answer of a call of its own, 2", v, err)
		}
		close(release)
		synctest.Wait()
	})
}

func TestCallEndsWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := sharedCalls[string, int]{joinable: time.Second}
		ended := make(chan error, 1)
		call := func(ctx context.Context) (int, error) {
			<-ctx.Done()
			ended <- ctx.Err()
			return 0, ctx.Err()
		}
		first, leaveFirst := context.WithCancel(t.Context())
		second, leaveSecond := context.WithCancel(t.Context())
		for _, ctx := range []context.Context{first, second} {
			go func() {
				if _, err := f.do(ctx, "q", call); !errors.Is(err, context.Canceled) {
					t.Errorf("got %v, want that the caller gave up", err)
				}
			}()
		}
		synctest.Wait()
		leaveFirst()
		synctest.Wait()
		select {
		case <-ended:
			t.Fatal("the call ended while somebody waited for it")
		default:
		}
		leaveSecond()
		synctest.Wait()
		if len(ended) != 1 {
			t.Error("the call goes on although nobody waits for it")
		}
	})
}
