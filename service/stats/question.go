// Package stats answers what the service is asked: the 16 figures of an organization over a window of time, as a whole,
// by interval, or by agent, user and more.
package stats

import "errors"

// Question is what a caller asks, already checked and authorized: a window of one organization, filters and a grouping.
// It names everything that its answer depends on, so that it serves as the key of caches.
type Question struct {
	OrgID string

	// From and Until bound the window, in milliseconds since 1970 UTC: From <= t < Until.
	From, Until int64

	// Previous is the window that this one is compared with, and lies before it; the zero value is none.
	Previous Interval

	Filter
	Grouping Grouping
}

var (
	// ErrUnavailable is matched by errors of questions that ClickHouse can't be asked or can't handle now: asking again
	// later may help.
	ErrUnavailable = errors.New("ClickHouse is unavailable")

	// ErrTimeout is matched by errors of questions whose time was over.
	ErrTimeout = errors.New("the query timed out")
)
