package e2e

import (
	"strconv"
	"strings"
	"testing"
)

// counts is a line of a load's summary.
type counts struct{ read, loaded, unchanged, waiting, rejected int }

// summary is the summary that a load printed at its end, by type.
type summary map[string]counts

// summaryOf parses the table that a load printed.
func summaryOf(t *testing.T, stdout string) summary {
	t.Helper()
	s := summary{}
	for line := range strings.Lines(stdout) {
		fields := strings.Fields(line)
		if len(fields) != 6 || fields[0] == "type" {
			continue
		}
		var n [5]int
		for i, field := range fields[1:] {
			var err error
			if n[i], err = strconv.Atoi(field); err != nil && field != "-" {
				t.Fatalf("summary line %q: %v", line, err)
			}
		}
		s[fields[0]] = counts{n[0], n[1], n[2], n[3], n[4]}
	}
	if len(s) == 0 {
		t.Fatalf("no summary in %q", stdout)
	}
	return s
}

// total returns the sum over all types.
func (s summary) total() (all counts) {
	for _, c := range s {
		all.read += c.read
		all.loaded += c.loaded
		all.unchanged += c.unchanged
		all.waiting += c.waiting
		all.rejected += c.rejected
	}
	return all
}
