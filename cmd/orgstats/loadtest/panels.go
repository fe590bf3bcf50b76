package loadtest

import "fmt"

// leastShown is the shortest latency of a logarithmic axis, in milliseconds.
const leastShown = 0.05

func (d *drawing) searchPanel(s *Search) {
	var rates, latencies []float64
	for _, step := range s.Steps {
		rates = append(rates, float64(step.Rate))
		latencies = append(latencies, max(step.P99, leastShown), max(step.P50, leastShown))
	}
	title := fmt.Sprintf("Rates tried: p99 of each; %d a second was held", s.Rate)
	if s.Rate == 0 {
		title = "Rates tried: p99 of each; none was held"
	}
	p := d.panel(title, logAxis("requests a second", plainNumber, append(rates, rates[0]*2)...), logAxis("", ms, append(latencies, s.Bound)...))
	p.line(plotLeft, p.py(s.Bound), plotWidth-plotRight, p.py(s.Bound), `stroke="`+colorBad+`" stroke-dasharray="6 4"`)
	p.text(plotLeft+6, p.py(s.Bound)-5, "start", "bound "+ms(s.Bound))
	for _, step := range s.Steps {
		color := colorMain
		if !step.Held {
			color = colorBad
		}
		p.dot(point{float64(step.Rate), step.P99}, color, fmt.Sprintf("%d a second: p99 %s, %s", step.Rate, ms(step.P99), step.verdict()))
	}
	p.key(colorBad, "not held")
	p.key(colorMain, "held")
}

func (d *drawing) histogramPanel(r *Run) {
	var most uint64
	ends := []float64{}
	for _, b := range r.Histogram {
		most = max(most, b.Count)
		ends = append(ends, max(b.From, leastShown), max(upper(b), leastShown))
	}
	p := d.panel("Latency of the answers", logAxis("latency, logarithmic", ms, ends...), linearAxis("", plainNumber, float64(most)))
	for _, b := range r.Histogram {
		p.column(max(b.From, leastShown), upper(b), 0, float64(b.Count), colorMain, fmt.Sprintf("%s to %s: %d answers", ms(b.From), ms(upper(b)), b.Count))
	}
	for _, mark := range []struct {
		name string
		at   float64
	}{{"p50", r.Answered.P50}, {"p99", r.Answered.P99}} {
		x := p.px(mark.at)
		p.line(x, p.top, x, p.top+panelHeight, `stroke="`+colorSecond+`" stroke-dasharray="4 3"`)
		side, anchor := 4.0, "start"
		if x > plotWidth-plotRight-100 { // there is no room to its right
			side, anchor = -4, "end"
		}
		p.text(x+side, p.top+12, anchor, mark.name+" "+ms(mark.at))
	}
}

// upper returns a bucket's upper end; the last one is drawn up to twice its lower end.
func upper(b Bucket) float64 {
	if b.To > 0 {
		return b.To
	}
	return 2 * b.From
}

func (d *drawing) latencyPanel(r *Run) {
	var p50, p99 []point
	values := []float64{}
	for _, i := range r.Timeline {
		if i.Answered.Count == 0 {
			continue
		}
		at := i.At + i.Seconds/2
		p50 = append(p50, point{at, max(i.Answered.P50, leastShown)})
		p99 = append(p99, point{at, max(i.Answered.P99, leastShown)})
		values = append(values, p50[len(p50)-1].y, p99[len(p99)-1].y)
	}
	p := d.panel("Latency over time, logarithmic", timeAxis(r), logAxis("", ms, values...))
	p.curve(colorMain, p50)
	p.curve(colorSecond, p99)
	p.key(colorSecond, "p99")
	p.key(colorMain, "p50")
}

func timeAxis(r *Run) axis {
	last := r.Timeline[len(r.Timeline)-1]
	return linearAxis("seconds since the start", plainNumber, last.At+last.Seconds)
}

// throughputPanel shows the outcomes of the requests of each interval: figures, shed or failed, stacked.
func (d *drawing) throughputPanel(r *Run) {
	most := 1.0
	for _, i := range r.Timeline {
		most = max(most, float64(i.Answered.Count+i.Shed+i.Failed)/i.Seconds)
	}
	p := d.panel("What became of the requests sent, a second", timeAxis(r), linearAxis("", plainNumber, most))
	for _, i := range r.Timeline {
		title := fmt.Sprintf("%.0f s: %d answered, %d shed, %d failed", i.At, i.Answered.Count, i.Shed, i.Failed)
		var below uint64
		for _, part := range []struct {
			count uint64
			color string
		}{{i.Answered.Count, colorMain}, {i.Shed, colorSecond}, {i.Failed, colorBad}} {
			if part.count > 0 {
				p.column(i.At, i.At+i.Seconds, float64(below)/i.Seconds, float64(below+part.count)/i.Seconds, part.color, title)
			}
			below += part.count
		}
	}
	p.key(colorBad, "failed")
	p.key(colorSecond, "shed (429, 503)")
	p.key(colorMain, "answered")
}
