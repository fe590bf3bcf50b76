package e2e

import (
	"encoding/csv"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// checkGrouped asks questions of all endpoints, and compares each answer, and for some the same as CSV, with the
// oracle's.
func (d *propertyDriver) checkGrouped(n int) {
	d.Helper()
	for n := range n {
		a := d.generator.asked()
		q := understand(a)
		want := d.oracle.result(q)
		got := d.askAbout(a)
		if got.status != http.StatusOK {
			d.Errorf("%v: status %d, %.500s", a, got.status, got.body)
			continue
		}
		checkSame(d.T, a, got.body, q.json(want))
		if n%3 == 0 {
			a.query.Set("format", "csv")
			checkLines(d.T, a, d.askAbout(a), q.csv(want))
			a.query.Del("format")
		}
		if n%3 == 1 {
			d.checkSums(q, got.body)
		}
	}
}

// checkSame compares two texts, and shows where they begin to differ.
func checkSame(t *testing.T, a asked, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	at = max(0, at-200)
	t.Errorf("%v: from byte %d on\n got %.600s\nwant %.600s", a, at, got[at:], want[at:])
}

// checkLines compares an answer as CSV with its lines.
func checkLines(t *testing.T, a asked, got answer, want [][]string) {
	t.Helper()
	if got.status != http.StatusOK || !strings.HasPrefix(got.header.Get("Content-Type"), "text/csv") {
		t.Errorf("%v: status %d, %v %.500s", a, got.status, got.header, got.body)
		return
	}
	if ends := strings.Count(got.body, "\r\n"); ends != len(want) || strings.Count(got.body, "\n") != ends {
		t.Errorf("%v: %d lines end as they should, want %d", a, ends, len(want))
	}
	lines, err := csv.NewReader(strings.NewReader(got.body)).ReadAll()
	if err != nil {
		t.Errorf("%v: %v in %.500s", a, err, got.body)
	}
	for n, line := range lines {
		if n < len(want) && !slices.Equal(line, want[n]) {
			t.Errorf("%v: line %d\n got %q\nwant %q", a, n, line, want[n])
			return
		}
	}
}
