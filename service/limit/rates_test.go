package limit

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// expectRate checks that a request exceeds the rate of the scope, and returns how long to wait.
func expectRate(t *testing.T, why string, err error, scope Scope) time.Duration {
	t.Helper()
	exceeded, ok := errors.AsType[*RateLimitError](err)
	if !ok || exceeded.Scope != scope || !errors.Is(err, ErrRateLimited) {
		t.Fatalf("%s: got %v, want the rate of the %s exceeded", why, err, scope)
	}
	return exceeded.Wait
}

func TestRateOfAUser(t *testing.T) {
	r := NewRates(RateOptions{User: 5})
	now := time.Unix(0, 0)
	for n := range 10 { // a burst of two seconds' worth
		if err := r.Allow("org", "u", now); err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
	}
	if wait := expectRate(t, "after the burst", r.Allow("org", "u", now), ScopeUser); wait != 200*time.Millisecond {
		t.Errorf("wait for %s, want a fifth of a second", wait)
	}
	if err := r.Allow("org", "another", now); err != nil {
		t.Errorf("another user: %v", err)
	}
	now = now.Add(200 * time.Millisecond)
	if err := r.Allow("org", "u", now); err != nil {
		t.Errorf("after the wait: %v", err)
	}
	expectRate(t, "only one has come back", r.Allow("other org", "u", now), ScopeUser)
}

func TestRateOfAnOrganization(t *testing.T) {
	r := NewRates(RateOptions{Organization: 3, User: 100})
	now := time.Unix(0, 0)
	for n := range 6 {
		if err := r.Allow("org", fmt.Sprint("user", n), now); err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
	}
	expectRate(t, "whoever asks", r.Allow("org", "one more", now), ScopeOrganization)
	if err := r.Allow("other", "user0", now); err != nil {
		t.Errorf("another organization: %v", err)
	}
	if err := r.Allow("", "nobody's", now); err != nil {
		t.Errorf("a caller without an organization: %v", err)
	}
}

func TestAnOrganizationIsExhaustedUntilItMayAskAgain(t *testing.T) {
	r := NewRates(RateOptions{Organization: 3})
	now := time.Unix(0, 0)
	for n := range 6 {
		if err := r.Allow("org", "user", now); err != nil {
			t.Fatalf("request %d: %v", n, err)
		}
		if exhausted := r.Exhausted("org", now); exhausted != (n == 5) {
			t.Errorf("after request %d of 6: exhausted is %v", n+1, exhausted)
		}
	}
	if r.Exhausted("other", now) || r.Exhausted("", now) || NewRates(RateOptions{}).Exhausted("org", now) {
		t.Error("who has not asked, or may ask as much as it likes, is exhausted")
	}
	if r.Exhausted("org", now.Add(time.Second/2)) {
		t.Error("it may ask once more, and is exhausted")
	}
}

func TestWhatIsRefusedCountsForNobody(t *testing.T) {
	r := NewRates(RateOptions{Organization: 1, User: 1})
	now := time.Unix(0, 0)
	for range 2 {
		if err := r.Allow("a", "u", now); err != nil {
			t.Fatal(err)
		}
	}
	for range 100 {
		expectRate(t, "refused", r.Allow("b", "u", now), ScopeUser)
	}
	for range 2 {
		if err := r.Allow("b", "v", now); err != nil {
			t.Errorf("the user's refusals took from the organization: %v", err)
		}
	}
	for range 100 {
		expectRate(t, "refused", r.Allow("b", "w", now), ScopeOrganization)
	}
	if err := r.Allow("c", "w", now); err != nil {
		t.Errorf("the organization's refusals took from the user: %v", err)
	}
}

func TestZeroRateIsNoLimit(t *testing.T) {
	r := NewRates(RateOptions{})
	for range 1000 {
		if err := r.Allow("a", "u", time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRatesRememberABoundedNumber(t *testing.T) {
	r := NewRates(RateOptions{Organization: 1, User: 1})
	for n := range 2 * ratesKept {
		if err := r.Allow(fmt.Sprint("org", n), fmt.Sprint("user", n), time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if n := r.users.buckets.Len(); n != ratesKept {
		t.Errorf("%d users are remembered, want %d", n, ratesKept)
	}
}
