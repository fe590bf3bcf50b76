package stats

import "testing"

// SetMaxRows changes for a test how many messages are read one by one.
func SetMaxRows(t *testing.T, rows int) { set(t, &maxRows, rows) }

// SetMaxUserGroups changes for a test how many users are summed up in memory.
func SetMaxUserGroups(t *testing.T, groups int) { set(t, &maxUserGroups, groups) }

func set(t *testing.T, variable *int, value int) {
	before := *variable
	*variable = value
	t.Cleanup(func() { *variable = before })
}
