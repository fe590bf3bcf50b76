package loadtest

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
)

// Print writes the report for people.
func (r *Report) Print(w io.Writer) error {
	p := &printer{}
	if r.Search != nil {
		p.search(r.Search)
	}
	if r.Run != nil {
		p.run(r.Run)
	}
	if r.Verified != nil {
		p.verified(r.Verified)
	}
	_, err := p.WriteTo(w)
	return err
}

// printer collects what is printed.
type printer struct{ bytes.Buffer }

func (p *printer) printf(format string, args ...any) { fmt.Fprintf(p, format, args...) }

// table prints rows of cells, with the columns after the first right-aligned.
func (p *printer) table(rows [][]string) {
	t := tabwriter.NewWriter(p, 0, 0, 2, ' ', tabwriter.AlignRight)
	widest := 0
	for _, row := range rows {
		widest = max(widest, utf8.RuneCountInString(row[0]))
	}
	for _, row := range rows {
		fmt.Fprintf(t, "  %-*s\t%s\t\n", widest, row[0], strings.Join(row[1:], "\t"))
	}
	_ = t.Flush() // into memory
}

func (p *printer) search(s *Search) {
	p.printf("\nRates tried, in requests a second, for a p99 of at most %s\n", ms(s.Bound))
	rows := [][]string{{"rate", "answered a second", "p50", "p99", ""}}
	for _, step := range s.Steps {
		rows = append(rows, []string{fmt.Sprint(step.Rate), fmt.Sprintf("%.1f", step.AnsweredPerSecond), ms(step.P50), ms(step.P99), step.verdict()})
	}
	p.table(rows)
	if s.Rate > 0 {
		p.printf("The highest rate that was held: %d requests a second\n", s.Rate)
	} else {
		p.printf("No rate was held.\n")
	}
}

func (p *printer) run(r *Run) {
	p.printf("\n%d requests in %.1f s: %.1f a second sent (%d wanted), %.1f a second answered\n",
		r.Sent, r.Seconds, r.SentPerSecond, r.Rate, r.AnsweredPerSecond)
	p.printf("Answers by status: %s\n", statuses(r))
	if r.Statuses["429"] > 0 {
		p.printf("429 are the service's limits of an organization's and a user's rate; lift them to see what it can hold.\n")
	}
	if behind := time.Duration(r.Late * float64(time.Millisecond)); behind > 10*time.Millisecond {
		p.printf("Requests were sent up to %s late (p99): this machine can hardly keep the rate, which flatters the latencies.\n", ms(r.Late))
	}
	p.failures("Failed", r.Failures)
	p.failures("Malformed answers", r.Malformed)
	if r.Answered.Count == 0 {
		return
	}
	p.printf("\nLatency of the answers\n")
	p.histogram(r.Histogram)
	p.latencies(r)
}

// statuses returns the number of answers of each status as text.
func statuses(r *Run) string {
	var all []string
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		all = append(all, fmt.Sprintf("%s: %d", status, r.Statuses[status]))
	}
	return strings.Join(all, ", ")
}

func (p *printer) failures(title string, all []Failure) {
	if len(all) == 0 {
		return
	}
	p.printf("%s\n", title)
	for _, f := range all {
		p.printf("  %d × %s\n", f.Count, f.What)
	}
}

func (p *printer) verified(v *Verified) {
	p.printf("\nCompared with the plain query: %d answers, %d equal, %d different", v.Compared, v.Equal, v.Different)
	if v.Changing > 0 {
		p.printf("; %d were left out because their organization was changing", v.Changing)
	}
	p.printf("\n")
	p.failures("Different", v.Differences)
}

// ms formats milliseconds with about three digits, in the unit that fits.
func ms(n float64) string {
	digits := func(n float64) string {
		switch {
		case n == math.Trunc(n) && n < 1000, n >= 100:
			return fmt.Sprintf("%.0f", n)
		case n >= 10:
			return fmt.Sprintf("%.1f", n)
		}
		return strings.TrimSuffix(fmt.Sprintf("%.2f", n), "0")
	}
	if n >= 1000 {
		return digits(n/1000) + " s"
	}
	return digits(n) + " ms"
}

func show(d time.Duration) string { return ms(milliseconds(d)) }
