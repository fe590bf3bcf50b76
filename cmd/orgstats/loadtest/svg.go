package loadtest

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"
)

// The plot's dimensions, in pixels.
const (
	plotWidth   = 960
	panelHeight = 230
	panelGap    = 74
	plotTop     = 70
	plotLeft    = 76
	plotRight   = 28
)

// Colors that differ in lightness, too, so that they can be distinguished without color vision.
const (
	colorMain   = "#1f6fb4"
	colorSecond = "#d9822b"
	colorBad    = "#c23030"
	colorGrid   = "#e2e6ea"
	colorText   = "#394b59"
)

// SVG draws the report: the rates that were tried, the latencies, and the outcomes of the requests over time.
func (r *Report) SVG(w io.Writer) error {
	d := &drawing{}
	if r.Search != nil && len(r.Search.Steps) > 0 {
		d.searchPanel(r.Search)
	}
	if r.Run != nil && r.Run.Answered.Count > 0 {
		d.histogramPanel(r.Run)
		d.latencyPanel(r.Run)
		d.throughputPanel(r.Run)
	}
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %[1]d %[2]d" width="%[1]d" height="%[2]d" font-family="system-ui, sans-serif" font-size="12" fill="%[3]s">
<rect width="100%%" height="100%%" fill="#ffffff"/>
<text x="%[4]d" y="30" font-size="17" font-weight="600">Load test of %[5]s</text>
<text x="%[4]d" y="50">%[6]s</text>
%[7]s</svg>
`, plotWidth, plotTop+d.panels*(panelHeight+panelGap), colorText, plotLeft, html.EscapeString(r.Target), html.EscapeString(r.subtitle()), d.body.String())
	return err
}

func (r *Report) subtitle() string {
	text := fmt.Sprintf("%s, %d organizations, %d callers", r.Started.UTC().Format(time.RFC1123), r.Organizations, r.Callers)
	if run := r.Run; run != nil {
		text += fmt.Sprintf("; %.0f requests a second for %.0f s: p50 %s, p99 %s, max %s",
			run.SentPerSecond, run.Seconds, ms(run.Answered.P50), ms(run.Answered.P99), ms(run.Answered.Max))
	}
	return text
}

// drawing collects panels, one below the other.
type drawing struct {
	body   strings.Builder
	panels int
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.body, format, args...) }

func (d *drawing) text(x, y float64, anchor, text string) {
	d.printf(`<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`+"\n", x, y, anchor, html.EscapeString(text))
}

func (d *drawing) line(x1, y1, x2, y2 float64, style string) {
	d.printf(`<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>`+"\n", x1, y1, x2, y2, style)
}

// panel starts a panel and draws its two axes.
func (d *drawing) panel(title string, x, y axis) *panel {
	top := float64(plotTop + d.panels*(panelHeight+panelGap) + 22)
	d.panels++
	p := &panel{drawing: d, top: top, x: x, y: y}
	d.printf(`<text x="%d" y="%.1f" font-size="14" font-weight="600">%s</text>`+"\n", plotLeft, top-10, html.EscapeString(title))
	for _, tick := range y.ticks {
		d.line(plotLeft, p.py(tick.at), plotWidth-plotRight, p.py(tick.at), `stroke="`+colorGrid+`"`)
		d.text(plotLeft-8, p.py(tick.at)+4, "end", tick.label)
	}
	for _, tick := range x.ticks {
		d.line(p.px(tick.at), top+panelHeight, p.px(tick.at), top+panelHeight+4, `stroke="`+colorText+`"`)
		d.text(p.px(tick.at), top+panelHeight+17, "middle", tick.label)
	}
	d.line(plotLeft, top+panelHeight, plotWidth-plotRight, top+panelHeight, `stroke="`+colorText+`"`)
	d.text(plotWidth-plotRight, top+panelHeight+34, "end", x.name)
	return p
}

// panel is a chart at its position in the drawing.
type panel struct {
	*drawing
	top  float64
	x, y axis
	keys int
}

func (p *panel) px(v float64) float64 {
	return plotLeft + p.x.share(v)*(plotWidth-plotLeft-plotRight)
}

func (p *panel) py(v float64) float64 { return p.top + panelHeight*(1-p.y.share(v)) }

// key draws the name of a series at the panel's upper right edge.
func (p *panel) key(color, name string) {
	x := float64(plotWidth - plotRight - 150*(p.keys+1))
	p.printf(`<rect x="%.1f" y="%.1f" width="10" height="10" fill="%s"/>`+"\n", x, p.top-19, color)
	p.text(x+15, p.top-10, "start", name)
	p.keys++
}

type point struct{ x, y float64 }

// curve connects points by lines.
func (p *panel) curve(color string, points []point) {
	var path []string
	for _, at := range points {
		path = append(path, fmt.Sprintf("%.1f,%.1f", p.px(at.x), p.py(at.y)))
	}
	p.printf(`<polyline points="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-linejoin="round"/>`+"\n", strings.Join(path, " "), color)
}

func (p *panel) dot(at point, color, title string) {
	p.printf(`<circle cx="%.1f" cy="%.1f" r="4.5" fill="%s"><title>%s</title></circle>`+"\n", p.px(at.x), p.py(at.y), color, html.EscapeString(title))
}

// column draws a box between two positions on the x-axis and two heights.
func (p *panel) column(from, to, low, high float64, color, title string) {
	p.printf(`<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill="%s"><title>%s</title></rect>`+"\n", p.px(from)+0.5, p.py(high),
		max(p.px(to)-p.px(from)-1, 0.5), p.py(low)-p.py(high), color, html.EscapeString(title))
}
