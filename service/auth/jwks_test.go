package auth

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// byKey returns a token of the test's current time that the instance's first key has signed, or the next.
func byKey(t testing.TB, kid string) string {
	key := instanceKey()
	if kid == "ins_2" {
		key = nextKey()
	}
	return sign(t, jwt.SigningMethodRS256, key, header().with(fields{"kid": kid}), session())
}

func wantGood(t testing.TB, v *Verifier, kid string) {
	t.Helper()
	if _, err := v.Verify(t.Context(), byKey(t, kid)); err != nil {
		t.Errorf("a good token of %s: %v", kid, err)
	}
}

func wantUnknown(t testing.TB, v *Verifier, kid string) {
	t.Helper()
	_, err := v.Verify(t.Context(), byKey(t, kid))
	wantReason(t, err, ReasonKeyID)
}

// outages are all the ways in which an endpoint gives no keys, or gives them so that they must not be taken.
var outages = map[string]http.HandlerFunc{
	"an error": respond(http.StatusInternalServerError, "down"),
	"an error with keys": func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		publish(jwk("ins_2", nextKey()), jwk("ins_1", nextKey()))(w, r)
	},
	"not found":            http.NotFound,
	"no answer":            hang,
	"half an answer":       trickle,
	"a connection cut off": breakOff,
	"no keys":              publish(),
	"only other keys":      publish(fields{"kty": "EC", "crv": "P-256", "kid": "ins_3", "x": "AA", "y": "AA"}),
	"HTML":                 respond(http.StatusOK, "<!doctype html><title>Sign in</title>"),
	"null":                 respond(http.StatusOK, "null"),
	"an empty body":        respond(http.StatusOK, ""),
	"keys that are text":   respond(http.StatusOK, `{"keys":"none"}`),
	"keys that are null":   respond(http.StatusOK, `{"keys":[null]}`),
	"2 MB": func(w http.ResponseWriter, r *http.Request) {
		publish(jwk("ins_2", nextKey()), jwk("ins_1", nextKey()))(w, r)
		_, _ = w.Write([]byte(strings.Repeat(" ", 2<<20)))
	},
	"a redirect to http": func(w http.ResponseWriter, r *http.Request) {
		if r.Host == "example.com" {
			publish(jwk("ins_2", nextKey()), jwk("ins_1", nextKey()))(w, r)
		} else {
			http.Redirect(w, r, "http://example.com/jwks.json", http.StatusFound)
		}
	},
	"a redirect to itself": http.RedirectHandler("/", http.StatusFound).ServeHTTP,
}

func TestJWKSDownAtStart(t *testing.T) {
	for why, outage := range outages {
		t.Run(why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEndpoint(t, outage)
				v := e.verifier(t)
				defer v.Close()
				for range 10 {
					start := time.Now()
					_, err := v.Verify(t.Context(), byKey(t, "ins_1"))
					if !errors.Is(err, ErrKeysUnavailable) || errors.Is(err, ErrUnauthorized) || !errors.Is(v.Ready(), ErrKeysUnavailable) {
						t.Fatalf("without keys: Verify gives %v, Ready %v", err, v.Ready())
					}
					if waited := time.Since(start); waited > 0 {
						t.Fatalf("a request waited %v for a key set that may never come", waited)
					}
					_, err = v.Verify(t.Context(), "garbage")
					wantReason(t, err, ReasonMalformed)
					time.Sleep(time.Minute)
				}
				if n := e.fetches.Load(); n < 15 || n > 30*(maxRedirects+1) {
					t.Errorf("%d fetches in ten minutes", n)
				}
				e.answers(publish(jwk("ins_1", instanceKey())))
				time.Sleep(lastRetry + fetchTimeout)
				wantGood(t, v, "ins_1")
				if err := v.Ready(); err != nil {
					t.Errorf("with keys: %v", err)
				}
			})
		})
	}
}

func TestJWKSDownLater(t *testing.T) {
	for why, outage := range outages {
		t.Run(why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				e := newEndpoint(t, publish(jwk("ins_1", instanceKey())))
				v := e.verifier(t)
				defer v.Close()
				synctest.Wait()
				wantGood(t, v, "ins_1")

				e.answers(outage)
				for range 2 {
					time.Sleep(20 * time.Minute)
					wantGood(t, v, "ins_1")
					wantUnknown(t, v, "ins_2")
				}
				if err := v.Ready(); err != nil {
					t.Errorf("an outage of 40 minutes: %v", err)
				}
				// A retry each half minute after the first few, one more for each unknown key id.
				if n := e.fetches.Load(); n > (2*40+10+2)*(maxRedirects+1) {
					t.Errorf("%d fetches in 40 minutes", n)
				}
				e.answers(publish(jwk("ins_2", nextKey())))
				time.Sleep(lastRetry + fetchTimeout)
				wantGood(t, v, "ins_2")
				wantUnknown(t, v, "ins_1")
			})
		})
	}
}

func TestJWKSRotation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t, publish(jwk("ins_1", instanceKey())))
		v := e.verifier(t)
		defer v.Close()
		synctest.Wait()
		wantGood(t, v, "ins_1")

		start := time.Now()
		e.answers(publish(jwk("ins_1", instanceKey()), jwk("ins_2", nextKey())))
		wantGood(t, v, "ins_2")
		wantGood(t, v, "ins_1")
		if waited := time.Since(start); waited > 0 {
			t.Errorf("a new key took %v beyond the fetch itself", waited)
		}

		e.answers(publish(jwk("ins_2", nextKey())))
		time.Sleep(refreshEvery + time.Second)
		wantGood(t, v, "ins_2")
		wantUnknown(t, v, "ins_1")

		e.answers(publish(jwk("ins_2", instanceKey())))
		time.Sleep(refreshEvery + time.Second)
		_, err := v.Verify(t.Context(), byKey(t, "ins_2"))
		wantReason(t, err, ReasonSignature) // the id stayed, the key did not
	})
}

func TestJWKSSlowEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t, publish(jwk("ins_1", instanceKey())))
		v := e.verifier(t)
		defer v.Close()
		synctest.Wait()
		e.answers(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(3 * time.Second)
			publish(jwk("ins_1", instanceKey()), jwk("ins_2", nextKey()))(w, r)
		})
		start := time.Now()
		wantUnknown(t, v, "ins_2")
		if waited := time.Since(start); waited != unknownWait {
			t.Errorf("a token of an unknown key waited %v, want %v", waited, unknownWait)
		}
		time.Sleep(2 * time.Second)
		wantGood(t, v, "ins_2") // the fetch that the first token gave up on
	})
}

func TestJWKSClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t, publish(jwk("ins_1", instanceKey())))
		v := e.verifier(t)
		synctest.Wait()
		v.Close()
		v.Close()
		wantGood(t, v, "ins_1")
		for range 2 {
			start := time.Now()
			wantUnknown(t, v, "ins_2")
			if waited := time.Since(start); waited > 0 {
				t.Errorf("a closed verifier let a token wait %v", waited)
			}
		}

		e.answers(hang)
		never := e.verifier(t)
		synctest.Wait()
		start := time.Now()
		never.Close()
		if waited := time.Since(start); waited > 0 {
			t.Errorf("Close waited %v for an endpoint that hangs", waited)
		}
		if _, err := never.Verify(t.Context(), byKey(t, "ins_1")); !errors.Is(err, ErrKeysUnavailable) {
			t.Errorf("closed before any key was loaded: %v", err)
		}
	})
}

func TestJWKSTokenGivesUpWithItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEndpoint(t, publish(jwk("ins_1", instanceKey())))
		v := e.verifier(t)
		defer v.Close()
		synctest.Wait()
		e.answers(hang)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		start := time.Now()
		_, err := v.Verify(ctx, byKey(t, "ins_2"))
		wantReason(t, err, ReasonKeyID)
		if waited := time.Since(start); waited != 200*time.Millisecond {
			t.Errorf("waited %v after the request was over", waited)
		}
	})
}
