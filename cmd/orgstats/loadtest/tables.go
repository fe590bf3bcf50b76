package loadtest

import (
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
)

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
	}{{"by window", r.Windows}, {"by filter", r.Filters}} {
		rows = append(rows, head(group.title))
		for _, k := range group.kinds {
			rows = append(rows, row(k.Name, k.Latency))
		}
	}
	p.printf("\n")
	p.table(rows)
}
