package limit

import (
	"math"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"
)

const (
	// burstSeconds is how many seconds' worth of requests may come at once: a dashboard asks for all its tiles
	// together.
	burstSeconds = 2

	// ratesKept is how many organizations, and how many users, are remembered; about 200 bytes each. One that is
	// forgotten, because so many others asked since, starts with a full allowance.
	ratesKept = 50_000
)

// RateOptions say how many requests a second are allowed in the long run; 0 sets no limit.
type RateOptions struct{ Organization, User float64 }

// Rates bounds how often each organization and each user may ask.
type Rates struct{ organizations, users *allowances }

// NewRates returns rates.
func NewRates(o RateOptions) *Rates {
	return &Rates{newAllowances(o.Organization), newAllowances(o.User)}
}

// Allow counts a request of a user for an organization ("" for none). The error, when it is one too many, is a
// *RateLimitError; it counts for neither then, so that a rate-limited user takes nothing from the organization.
func (r *Rates) Allow(orgID, userID string, now time.Time) error {
	user, wait := r.users.take(userID, now)
	if wait > 0 {
		return &RateLimitError{ScopeUser, wait}
	}
	if orgID == "" {
		return nil
	}
	if _, wait := r.organizations.take(orgID, now); wait > 0 {
		if user != nil {
			user.CancelAt(now)
		}
		return &RateLimitError{ScopeOrganization, wait}
	}
	return nil
}

// Exhausted reports whether an organization has just used its allowance up: it asks as often as it may, or more often.
func (r *Rates) Exhausted(orgID string, now time.Time) bool {
	if r.organizations == nil {
		return false
	}
	bucket, ok := r.organizations.buckets.Peek(orgID)
	return ok && bucket.TokensAt(now) < 1
}

// allowances are the token buckets of many; nil for no limit.
type allowances struct {
	limit   rate.Limit
	burst   int
	buckets *lru.Cache[string, *rate.Limiter]
}

func newAllowances(perSecond float64) *allowances {
	if perSecond == 0 {
		return nil
	}
	buckets, err := lru.New[string, *rate.Limiter](ratesKept)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &allowances{rate.Limit(perSecond), int(math.Ceil(perSecond * burstSeconds)), buckets}
}

// take removes one token from a bucket, or returns how long it is until there is one.
func (a *allowances) take(key string, now time.Time) (*rate.Reservation, time.Duration) {
	if a == nil {
		return nil, 0
	}
	bucket, ok := a.buckets.Get(key)
	if !ok {
		fresh := rate.NewLimiter(a.limit, a.burst)
		var known bool
		if bucket, known, _ = a.buckets.PeekOrAdd(key, fresh); !known {
			bucket = fresh
		}
	}
	taken := bucket.ReserveN(now, 1)
	if wait := taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
		return nil, wait
	}
	return taken, 0
}
