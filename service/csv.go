package service

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/stats"
)

// The media types that answers come in.
const (
	jsonMedia = "application/json"
	csvMedia  = "text/csv"
	csvType   = "text/csv; charset=utf-8; header=present" // RFC 4180
)

// table is an answer as lines of CSV.
type table struct {
	header []string
	lines  iter.Seq[[]string]
	count  int
}

// maxBuffered is how many lines are sent as one body with an ETag; longer tables are streamed.
const maxBuffered = 1000

// respondTable writes an answer as CSV.
func respondTable(r *request, e endpoint, q stats.Question, a stats.Answer) error {
	t := e.table(q, a)
	response := &r.http.Response
	response.Header.SetContentType(csvType)
	response.Header.Set(fasthttp.HeaderCacheControl, cacheControl)
	response.Header.Set(fasthttp.HeaderContentDisposition, fmt.Sprintf(`attachment; filename="orgstats-%s-%s.csv"`,
		strings.ToLower(strings.TrimPrefix(e.name, "get")), time.UnixMilli(q.From).UTC().Format(time.DateOnly)))
	if t.count > maxBuffered {
		response.SetBodyStreamWriter(func(w *bufio.Writer) { _ = t.write(w) }) // fails where the caller has left
		return nil
	}
	var body bytes.Buffer
	w := bufio.NewWriter(&body)
	if err := t.write(w); err != nil {
		return err
	}
	response.SetBody(body.Bytes())
	tag(&r.http.Request, response)
	return nil
}

// write writes the table as RFC 4180 has it.
func (t table) write(w *bufio.Writer) error {
	if err := writeLine(w, t.header); err != nil {
		return err
	}
	for line := range t.lines {
		if err := writeLine(w, line); err != nil {
			return err
		}
	}
	return w.Flush()
}

// writeLine writes one line. The package's own line ends would change those within a text.
func writeLine(w *bufio.Writer, cells []string) error {
	var line bytes.Buffer
	c := csv.NewWriter(&line)
	if err := c.Write(cells); err != nil {
		return err
	}
	c.Flush()
	if _, err := w.Write(bytes.TrimSuffix(line.Bytes(), []byte("\n"))); err != nil {
		return err
	}
	_, err := w.WriteString("\r\n")
	return err
}

// harmless keeps a spreadsheet from reading a text as a formula: one that begins like a formula gets an apostrophe,
// which marks a text there (OWASP, "CSV Injection"). Some spreadsheets take the full-width signs for the others.
func harmless(text string) string {
	if first, _ := utf8.DecodeRuneInString(text); text != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + text
	}
	return text
}

// The periods that a line may be of.
const (
	periodWindow   = "window"
	periodPrevious = "previous"
)

func numbers(f stats.Figures) (cells []string) {
	for _, value := range f.Values() {
		cells = append(cells, strconv.FormatUint(value, 10))
	}
	return cells
}

func statsTable(q stats.Question, a stats.Answer) table {
	return table{append([]string{"period", "from", "to"}, stats.FigureNames...), func(yield func([]string) bool) {
		line := func(period string, i stats.Interval, f stats.Figures) bool {
			w := windowOf(i)
			return yield(append([]string{period, w.From, w.To}, numbers(f)...))
		}
		if line(periodWindow, windowOfQuestion(q), a.Total.Window.Figures) && q.Previous != (stats.Interval{}) {
			line(periodPrevious, q.Previous, a.Total.Previous.Figures)
		}
	}, 2}
}

func seriesTable(q stats.Question, a stats.Answer) table {
	periods := periodsOf(q)
	return table{
		header: append([]string{"period", "start", "end", "partial"}, stats.FigureNames...),
		lines:  func(yield func([]string) bool) { periods.lines(a.Total, nil, yield) },
		count:  len(a.Total.Window.Series) + len(a.Total.Previous.Series),
	}
}

// periods are those that each row has lines of, with the buckets of each.
type periods []struct {
	name string
	of   func(stats.Row) stats.Period
	axis axis
}

func periodsOf(q stats.Question) periods {
	axes := axesOf(q)
	all := periods{{periodWindow, func(r stats.Row) stats.Period { return r.Window }, axes.window}}
	if q.Previous != (stats.Interval{}) {
		all = append(all, periods{{periodPrevious, func(r stats.Row) stats.Period { return r.Previous }, axes.previous}}...)
	}
	return all
}

// lines yields the lines of a row, with cells after the period's name: one for each bucket, or one of a period that is
// not divided. It reports whether more are wanted.
func (all periods) lines(row stats.Row, cells []string, yield func([]string) bool) bool {
	for _, p := range all {
		period := p.of(row)
		if period.Series == nil && !yield(slices.Concat([]string{p.name}, cells, numbers(period.Figures))) {
			return false
		}
		for _, b := range p.axis.with(period) {
			bucket := []string{b.Start, b.End, strconv.FormatBool(b.Partial)}
			if !yield(slices.Concat([]string{p.name}, cells, bucket, numbers(b.Stats))) {
				return false
			}
		}
	}
	return true
}

// The kinds of lines of a breakdown.
const (
	kindRow   = "row"
	kindOther = "other"
	kindTotal = "total"
)

func breakdownTable(q stats.Question, a stats.Answer) table {
	t := table{header: []string{"period", "kind", "value", "groups"}}
	if q.Grouping.Interval != "" {
		t.header = append(t.header, "start", "end", "partial")
	}
	t.header = append(t.header, stats.FigureNames...)
	t.count = (len(a.Rows) + 2) * max(1, len(a.Total.Window.Series)+len(a.Total.Previous.Series))
	periods := periodsOf(q)
	t.lines = func(yield func([]string) bool) {
		for _, row := range a.Rows {
			if !periods.lines(row, []string{kindRow, harmless(row.Value), "1"}, yield) {
				return
			}
		}
		if a.Other != nil && !periods.lines(*a.Other, []string{kindOther, "", strconv.Itoa(a.Groups - len(a.Rows))}, yield) {
			return
		}
		periods.lines(a.Total, []string{kindTotal, "", strconv.Itoa(a.Groups)}, yield)
	}
	return t
}
