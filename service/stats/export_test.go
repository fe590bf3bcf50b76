package stats

import "testing"

// SetMaxRows changes for a test how many messages are read one by one.
func SetMaxRows(t *testing.T, rows int) {
	before := maxRows
	maxRows = rows
	t.Cleanup(func() { maxRows = before })
}
