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

// barWidth is the width of the longest bar, in characters.
const barWidth = 50

func (p *printer) histogram(buckets []Bucket) {
	var total, most uint64
	for _, b := range buckets {
		total, most = total+b.Count, max(most, b.Count)
	}
	t := tabwriter.NewWriter(p, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, b := range buckets {
		to := "…"
		if b.To > 0 {
			to = ms(b.To)
		}
		fmt.Fprintf(t, "%s\t–\t%s\t%d\t%.1f %%\t  %s\n", ms(b.From), to, b.Count, 100*float64(b.Count)/float64(total), bar(b.Count, most))
	}
	_ = t.Flush() // into memory
}

// bar returns a bar in proportion to a count's share of the greatest one, in eighths of a character.
func bar(count, most uint64) string {
	eighths := int(math.Round(8 * barWidth * float64(count) / float64(most)))
	text := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		text += "▏▎▍▌▋▊▉"[3*(rest-1) : 3*rest]
	}
	if text == "" && count > 0 {
		return "▏"
	}
	return text
}

func (p *printer) latencies(r *Run) {
	head := func(title string) []string {
		return []string{title, "answers", "mean", "p50", "p90", "p99", "p99.9", "max"}
	}
	row := func(name string, l Latency) []string {
		return []string{name, fmt.Sprint(l.Count), ms(l.Mean), ms(l.P50), ms(l.P90), ms(l.P99), ms(l.P999), ms(l.Max)}
	}
	rows := [][]string{head(""), row("all", r.Answered)}
	if r.Shed.Count > 0 {
		rows = append(rows, row("shed (429, 503)", r.Shed))
	}
	for _, group := range []struct {
		title string
		kinds []Kind
	}{{"by view", r.Views}, {"by window", r.Windows}, {"by filter", r.Filters}} {
		rows = append(rows, head(group.title))
		for _, k := range group.kinds {
			rows = append(rows, row(k.Name, k.Latency))
		}
	}
	p.printf("\n")
	p.table(rows)
}
