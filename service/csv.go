package service

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"iter"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/orgstats/orgstats/service/calendar"
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
		strings.ToLower(strings.TrimPrefix(e.name, "get")), calendar.UTC.DateText(q.From)))
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
// which marks a text there (OWASP, "CSV Injection").
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
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
	t := table{header: append([]string{"period", "start", "end", "partial"}, stats.FigureNames...)}
	t.count = len(a.Total.Window.Series) + len(a.Total.Previous.Series)
	t.lines = func(yield func([]string) bool) { eachPeriod(q, a.Total, nil, yield) }
	return t
}

// eachPeriod yields the lines of a row, of its window and of the one before, with cells after the period's name.
func eachPeriod(q stats.Question, row stats.Row, cells []string, yield func([]string) bool) bool {
	return eachBucket(q, windowOfQuestion(q), row.Window, append([]string{periodWindow}, cells...), yield) &&
		(q.Previous == (stats.Interval{}) || eachBucket(q, q.Previous, row.Previous, append([]string{periodPrevious}, cells...), yield))
}

// eachBucket yields a line for each interval of a period, or one where it is not divided.
func eachBucket(q stats.Question, window stats.Interval, p stats.Period, cells []string, yield func([]string) bool) bool {
	if q.Grouping.Interval == "" {
		return yield(append(cells, numbers(p.Figures)...))
	}
	for _, b := range bucketsOf(q, window, p) {
		line := append(append([]string{}, cells...), b.Start, b.End, strconv.FormatBool(b.Partial))
		if !yield(append(line, numbers(b.Stats)...)) {
			return false
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
	t.lines = func(yield func([]string) bool) {
		for _, row := range a.Rows {
			if !eachPeriod(q, row, []string{kindRow, harmless(row.Value), "1"}, yield) {
				return
			}
		}
		if a.Other != nil && !eachPeriod(q, *a.Other, []string{kindOther, "", strconv.Itoa(a.Groups - len(a.Rows))}, yield) {
			return
		}
		eachPeriod(q, a.Total, []string{kindTotal, "", strconv.Itoa(a.Groups)}, yield)
	}
	return t
}
