package limit

import (
	"errors"
	"fmt"
	"time"
)

// Errors that OverloadError and RateLimitError match by errors.Is.
var (
	// ErrOverloaded is matched when the service has no capacity for a question: an HTTP 503.
	ErrOverloaded = errors.New("overloaded")
	// ErrRateLimited is matched when a caller exceeds a rate: an HTTP 429.
	ErrRateLimited = errors.New("rate-limited")
)

// Reason is a short, fixed code for why a question was shed, fit for a log field and a metric's label.
type Reason string

const (
	ReasonQueueFull Reason = "queue_full" // no room in the queue
	ReasonWaited    Reason = "waited"     // no turn came within the patience
)

// OverloadError is returned for a question that is shed.
type OverloadError struct{ Reason Reason }

func (e *OverloadError) Error() string { return fmt.Sprintf("%v (%s)", ErrOverloaded, e.Reason) }

// Is makes every OverloadError an ErrOverloaded.
func (e *OverloadError) Is(target error) bool { return target == ErrOverloaded }

// Scope is whose rate was exceeded.
type Scope string

const (
	ScopeOrganization Scope = "organization"
	ScopeUser         Scope = "user"
)

// RateLimitError is returned for a request beyond a rate.
type RateLimitError struct {
	Scope Scope
	Wait  time.Duration // until the next request is allowed
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("%v: the rate of the %s", ErrRateLimited, e.Scope)
}

// Is makes every RateLimitError an ErrRateLimited.
func (e *RateLimitError) Is(target error) bool { return target == ErrRateLimited }
