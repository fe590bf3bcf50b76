package stats

import "context"

// ClickHouse (since 25.4) stops a statement, wherever it next reads a block, while another of a smaller number runs,
// but not for longer than the wait each time.
const (
	ordinaryPriority  = 1
	givingWayPriority = 2
	givingWayWait     = 100 // milliseconds
)

type givingWayKey struct{}

// GivingWay gives a context whose questions wait, once they are being worked on, while others are: for who asks as much
// as it may, so that others don't notice.
func GivingWay(ctx context.Context) context.Context {
	return context.WithValue(ctx, givingWayKey{}, true)
}

// prioritySettings are the settings of the statements of a question.
func prioritySettings(ctx context.Context) map[string]any {
	if ctx.Value(givingWayKey{}) != nil {
		return map[string]any{"priority": givingWayPriority, "low_priority_query_wait_time_ms": givingWayWait, "max_threads": 1}
	}
	return map[string]any{"priority": ordinaryPriority}
}
