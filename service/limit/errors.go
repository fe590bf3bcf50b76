package limit

import (
	"errors"
	"fmt"
	"time"
)

// Errors that BusyError and RateError match by errors.Is.
var (
	// ErrBusy says that the service has enough to do: an HTTP 503.
	ErrBusy = errors.New("too many questions are under way")
	// ErrRate says that the caller asks too often: an HTTP 429.
	ErrRate = errors.New("too many requests")
)

// Reason is a short, fixed code for why a question was not taken on, fit for a log field and a metric's label.
type Reason string

// The reasons.
const (
	ReasonQueueFull Reason = "queue_full" // no place in the queue
	ReasonWaited    Reason = "waited"     // no turn came within the patience
)

// BusyError says that the service has no place for a question now.
type BusyError struct{ Reason Reason }

// Error names the reason.
func (e *BusyError) Error() string { return fmt.Sprintf("%v (%s)", ErrBusy, e.Reason) }

// Is makes every BusyError an ErrBusy.
func (e *BusyError) Is(target error) bool { return target == ErrBusy }

// Scope is whose rate was exceeded.
type Scope string

// The scopes.
const (
	ScopeOrganization Scope = "organization"
	ScopeUser         Scope = "user"
)

// RateError says that an organization or a user asks too often.
type RateError struct {
	Scope Scope
	Wait  time.Duration // until the next request is taken
}

// Error names the scope.
func (e *RateError) Error() string { return fmt.Sprintf("%v of the %s", ErrRate, e.Scope) }

// Is makes every RateError an ErrRate.
func (e *RateError) Is(target error) bool { return target == ErrRate }
