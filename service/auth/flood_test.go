package auth

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestJWKSFlood sends tokens with made-up key ids while the endpoint hangs for half a minute, then while it rotates.
func TestJWKSFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t, publish(jwk("ins_1", instanceKey())))
		v := e.verifier(t)
		defer v.Close()
		synctest.Wait()

		e.answers(hang)
		stop := flood(t, v)
		for range 300 {
			start := time.Now()
			wantGood(t, v, "ins_1")
			if waited := time.Since(start); waited > 0 {
				t.Fatalf("a good token waited %v behind a flood", waited)
			}
			time.Sleep(100 * time.Millisecond)
		}

		e.answers(publish(jwk("ins_1", instanceKey()), jwk("ins_2", nextKey())))
		time.Sleep(unknownGap + fetchTimeout)
		wantGood(t, v, "ins_2")
		before := e.fetches.Load()
		time.Sleep(3 * unknownGap)
		if n := e.fetches.Load() - before; n > 3 {
			t.Errorf("in three times the least gap a flood made %d fetches", n)
		}
		stop()
	})
}

// flood sends 50 tokens with unknown key ids every tenth of a second, until it is stopped.
func flood(t *testing.T, v *Verifier) (stop func()) {
	payload := session()
	done := make(chan struct{})
	var senders sync.WaitGroup
	for sender := range 50 {
		senders.Go(func() {
			for i := 0; ; i++ {
				kid := fmt.Sprintf("ins_bogus_%d_%d", sender, i)
				token := segment(t, header().with(fields{"kid": kid})) + "." + segment(t, payload) + ".AAAA"
				start := time.Now()
				_, err := v.Verify(t.Context(), token)
				wantReason(t, err, ReasonKeyID)
				if waited := time.Since(start); waited > unknownWait {
					t.Errorf("a token with an unknown key id waited %v", waited)
				}
				select {
				case <-done:
					return
				case <-time.After(100 * time.Millisecond):
				}
			}
		})
	}
	return func() {
		close(done)
		senders.Wait()
	}
}

// TestJWKSOverTCP uses the package as the service does: New, the configuration's URL, a real endpoint.
func TestJWKSOverTCP(t *testing.T) {
	var fetches atomic.Int64
	e := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fetches.Add(1)
		publish(jwk("ins_1", instanceKey()))(w, r)
	}))
	t.Cleanup(e.Close)
	start := time.Now()
	v, err := New(t.Context(), Config{Issuer: testIssuer, JWKSURL: e.URL + "/.well-known/jwks.json"})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	for deadline := time.Now().Add(5 * time.Minute); v.Ready() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal(v.Ready())
		}
	}

	good := byKey(t, "ins_1")
	bogus := byKey(t, "ins_bogus")
	var requests sync.WaitGroup
	for range 2000 {
		requests.Go(func() {
			if _, err := v.Verify(t.Context(), good); err != nil {
				t.Errorf("a good token: %v", err)
			}
		})
		requests.Go(func() {
			_, err := v.Verify(t.Context(), bogus)
			wantReason(t, err, ReasonKeyID)
		})
	}
	requests.Wait()
	if n, most := fetches.Load(), 2+int64(time.Since(start)/unknownGap); n > most {
		t.Errorf("%d fetches, want the first and one for the flood: %d", n, most)
	}
}
