package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// members are the names and values of a JSON object, in turn and in order.
type members []any

func (m members) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	for n, v := range m {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		b.WriteString([]string{",", ":"}[n%2])
		b.Write(text)
	}
	return fmt.Appendf(nil, "{%s}", strings.TrimPrefix(b.String(), ",")), nil
}

// members returns the figures in their order.
func (f figures) members() (m members) {
	for _, name := range figureNames {
		m = append(m, name, f[name])
	}
	return m
}

// json writes an answer as the interface describes it.
func (q asking) json(r result) string {
	switch q.path {
	case statsPath:
		m := r.total.window.figures.members()
		if q.compares {
			m = append(m, "previous", append(q.ends(q.before), "stats", r.total.before.figures.members()))
		}
		return string(mustMarshal(m))
	case seriesPath:
		m := members{"interval", q.interval, "timeZone", q.clocks.zone.String(), "buckets", q.series(q.window, q.buckets, r.total.window)}
		if q.compares {
			m = append(m, "previous", append(q.ends(q.before), "buckets", q.series(q.before, q.bucketsBefore, r.total.before)))
		}
		return string(mustMarshal(m))
	}
	m := members{"groupBy", q.groupBy, "orderBy", q.orderBy, "order", q.order}
	if q.interval != "" {
		m = append(m, "interval", q.interval, "timeZone", q.clocks.zone.String())
	}
	if q.compares {
		m = append(m, "previous", q.ends(q.before))
	}
	rows := make([]members, 0, len(r.rows))
	for _, one := range r.rows {
		rows = append(rows, q.members(one, "value", one.value))
	}
	var other any
	if r.other != nil {
		other = q.members(*r.other, "groups", r.other.groups)
	}
	return string(mustMarshal(append(m, "rows", rows, "other", other, "total", q.members(r.total, "groups", r.total.groups))))
}

// members returns a row of a breakdown, which begins with a name and its value.
func (q asking) members(r row, name string, value any) members {
	m := members{name, value, "stats", r.window.figures.members()}
	if q.compares {
		m = append(m, "previous", r.before.figures.members())
	}
	if q.interval != "" {
		m = append(m, "buckets", q.series(q.window, q.buckets, r.window))
		if before := q.series(q.before, q.bucketsBefore, r.before); q.compares && len(before) > 0 {
			m = append(m, "previousBuckets", before)
		}
	}
	return m
}

func (q asking) ends(w window) members {
	return members{"from", millis(w.from), "to", millis(w.until - 1)}
}

func millis(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// series returns the buckets of a window.
func (q asking) series(w window, buckets []window, p period) []members {
	all := []members{}
	for n, b := range buckets {
		all = append(all, members{
			"start", q.clocks.text(b.from), "end", q.clocks.text(b.until), "partial", b.from < w.from || b.until > w.until,
			"stats", p.buckets[n].members(),
		})
	}
	return all
}

// csv returns the lines of an answer as CSV.
func (q asking) csv(r result) (lines [][]string) {
	columns := map[string][]string{statsPath: {"from", "to"}, seriesPath: {"start", "end", "partial"}, breakdownPath: {"kind", "value", "groups"}}[q.path]
	if q.path == breakdownPath && q.interval != "" {
		columns = append(columns, "start", "end", "partial")
	}
	lines = [][]string{append(append([]string{"period"}, columns...), figureNames...)}
	if q.path != breakdownPath {
		return append(lines, q.cells(r.total)...)
	}
	for _, one := range r.rows {
		lines = append(lines, q.cells(one, "row", harmless(one.value), "1")...)
	}
	if r.other != nil {
		lines = append(lines, q.cells(*r.other, "other", "", strconv.Itoa(r.other.groups))...)
	}
	return append(lines, q.cells(r.total, "total", "", strconv.Itoa(r.total.groups))...)
}

// harmless marks a text that a spreadsheet would take for a formula.
func harmless(value *string) string {
	switch {
	case value == nil:
		return ""
	case strings.HasPrefix(strings.TrimLeft(*value, "=+-@\t\r\n＝＋－＠"), *value): // nothing was cut off
		return *value
	}
	return "'" + *value
}

// cells returns the lines of a row, with some cells after the period's name.
func (q asking) cells(r row, named ...string) (lines [][]string) {
	for _, half := range []struct {
		name    string
		window  window
		buckets []window
		period
	}{{"window", q.window, q.buckets, r.window}, {"previous", q.before, q.bucketsBefore, r.before}} {
		if half.name == "previous" && !q.compares {
			break
		}
		line := func(f figures, cells ...string) {
			cells = append(append([]string{half.name}, named...), cells...)
			for _, name := range figureNames {
				cells = append(cells, strconv.FormatInt(f[name], 10))
			}
			lines = append(lines, cells)
		}
		switch {
		case q.interval != "":
			for n, b := range half.buckets {
				partial := b.from < half.window.from || b.until > half.window.until
				line(half.period.buckets[n], q.clocks.text(b.from), q.clocks.text(b.until), strconv.FormatBool(partial))
			}
		case q.path == statsPath:
			line(half.figures, millis(half.window.from), millis(half.window.until-1))
		default:
			line(half.figures)
		}
	}
	return lines
}
