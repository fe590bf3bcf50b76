package cli

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/orgstats/orgstats/service/stats"
)

// answerTable is an answer for people: lines of figures with what they are of.
type answerTable struct {
	question stats.Question
	lines    []answerLine
}

type answerLine struct {
	group, period, start string
	figures              []uint64
}

// printAnswer prints an answer as a table. It leaves out figures that are 0 in all lines.
func printAnswer(w io.Writer, q stats.Question, a stats.Answer) error {
	t := answerTable{question: q}
	for _, row := range a.Rows {
		t.addRow(groupText(row.Group), row)
	}
	if a.Other != nil {
		t.addRow(fmt.Sprintf("%d others", a.Groups-len(a.Rows)), *a.Other)
	}
	t.addRow("total", a.Total)
	return t.print(w)
}

// groupText returns the value of a group, quoted, since it may hold anything.
func groupText(g stats.Group) string {
	if g.None {
		return "without a value"
	}
	return strconv.Quote(g.Value)
}

// addRow adds the lines of a row: of the window and the one before, as a whole and by interval.
func (t *answerTable) addRow(group string, row stats.Row) {
	q := t.question
	t.addPeriod(group, "window", stats.Interval{From: q.From, Until: q.Until}, row.Window)
	if q.Previous != (stats.Interval{}) {
		t.addPeriod(group, "previous", q.Previous, row.Previous)
	}
}

func (t *answerTable) addPeriod(group, name string, window stats.Interval, p stats.Period) {
	g := t.question.Grouping
	if g.Interval == "" || g.By != "" { // a series alone has no figures of the window as a whole
		t.lines = append(t.lines, answerLine{group, name, "", p.Values()})
	}
	if g.Interval == "" {
		return
	}
	bounds := g.Bounds(window)
	for n, figures := range p.Series {
		t.lines = append(t.lines, answerLine{group, name, g.Zone.Text(bounds[n]), figures.Values()})
	}
}

func (t *answerTable) print(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	shown := t.shown()
	t.printLine(out, answerLine{period: "period", group: "group", start: "start"}, shown, func(n int) string { return stats.FigureNames[n] })
	for _, line := range t.lines {
		t.printLine(out, line, shown, func(n int) string { return strconv.FormatUint(line.figures[n], 10) })
	}
	return out.Flush()
}

// shown returns the places of the figures that are not 0 in all lines.
func (t *answerTable) shown() (places []int) {
	for n := range stats.FigureNames {
		if slices.ContainsFunc(t.lines, func(l answerLine) bool { return l.figures[n] > 0 }) {
			places = append(places, n)
		}
	}
	return places
}

// printLine prints a line into the columns that the answer needs.
func (t *answerTable) printLine(w io.Writer, line answerLine, shown []int, figure func(n int) string) {
	cells := []string{line.period}
	if t.question.Grouping.By != "" {
		cells = append(cells, line.group)
	}
	if t.question.Grouping.Interval != "" {
		cells = append(cells, line.start)
	}
	for _, n := range shown {
		cells = append(cells, figure(n))
	}
	_, _ = fmt.Fprintln(w, strings.Join(cells, "\t")) // the writer keeps what fails for its end
}
