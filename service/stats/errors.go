package stats

import "errors"

var (
	// ErrUnavailable says that ClickHouse can't be reached or can't take the question now: asking again later may help.
	ErrUnavailable = errors.New("ClickHouse can't answer now")

	// ErrTimeout says that the question was given up because its time was over.
	ErrTimeout = errors.New("the question took too long")
)
