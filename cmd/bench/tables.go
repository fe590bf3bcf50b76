package main

import (
	"fmt"
	"io"
	"text/tabwriter"
)

// table prints rows with aligned columns under a title.
func table(w io.Writer, title string, rows func(add func(format string, cells ...any))) {
	fmt.Fprintf(w, "\n%s\n", title)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	rows(func(format string, cells ...any) { fmt.Fprintf(t, format+"\t\n", cells...) })
	_ = t.Flush() // the JSON file holds all that could not be printed
}

func (r *report) printQueries(w io.Writer) {
	title := fmt.Sprintf("Questions to an organization with four in five of %d messages, in milliseconds", r.Messages)
	slower, slowWarm := 0, 0
	table(w, title, func(add func(string, ...any)) {
		add("window\tfilter\tmessages\tcold p50\tp99\twarm p50\tp99\tplain p50\tp99\tSELECT 1 p50\twarm/SELECT 1\tplain/cold\tgoal at 30 million")
		for _, q := range r.Queries {
			goal := "-"
			if q.Goal > 0 {
				goal = ratio(q.Goal)
			}
			if q.Ratio < 0.9 { // a difference of a tenth may be chance
				slower++
			}
			if q.WarmToOne > 1 {
				slowWarm++
			}
			add("%s\t%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t%s\t%s", q.Window, q.Filter, q.Messages, q.Cold.P50, q.Cold.P99,
				q.Warm.P50, q.Warm.P99, q.Plain.P50, q.Plain.P99, q.SelectOne.P50, ratio(q.WarmToOne), ratio(q.Ratio), goal)
		}
	})
	fmt.Fprintf(w, "cold, slower than the plain query by more than a tenth: %d of %d (goal 0); warm, slower than SELECT 1: %d (goal 0)\n",
		slower, len(r.Queries), slowWarm)
}

func (r *report) printGrouped(w io.Writer) {
	title := fmt.Sprintf("Figures of a year, of an organization with four in five of %d messages, in milliseconds", r.Messages)
	missed := 0
	table(w, title, func(add func(string, ...any)) {
		add("grouping\tfilter\trows\tcold p50\tp99\twarm p50\tp99\tplain p50\tgetStats cold p50\twarm p50\twarm/getStats\tplain/warm\tgoal")
		for _, g := range r.Grouped {
			if g.Goal != nil && !g.Goal.reached(g) {
				missed++
			}
			add("%s\t%s\t%d\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%s\t%s\t%s", g.Grouping, g.Filter, g.Rows, g.Cold.P50, g.Cold.P99,
				g.Warm.P50, g.Warm.P99, g.Plain.P50, g.StatsCold.P50, g.StatsWarm.P50, ratio(g.ToStats), ratio(g.PlainRatio), g.Goal)
		}
	})
	fmt.Fprintf(w, "goals missed, which are meant for 30 million messages: %d\n", missed)
}

func (r *report) printPage(w io.Writer) {
	title := fmt.Sprintf("The dashboard in Chromium, of an organization with four in five of %d messages, in milliseconds", r.Messages)
	table(w, title, func(add func(string, ...any)) {
		add("view\tzone\tcold p50\tmax\twarm p50\tmax\tgoal")
		for _, p := range r.Page {
			add("%s\t%s\t%.0f\t%.0f\t%.0f\t%.0f\tcold < 1000", p.View, p.TimeZone, p.Cold.P50, p.Cold.Max, p.Warm.P50, p.Warm.Max)
		}
	})
}

// ratio formats a ratio with as many digits as matter.
func ratio(r float64) string {
	if r < 10 {
		return fmt.Sprintf("%.2f", r)
	}
	return fmt.Sprintf("%.0f", r)
}

func (r *report) printHTTP(w io.Writer) {
	h := r.HTTP
	table(w, fmt.Sprintf("HTTP, %d clients in the same process", h.Clients), func(add func(string, ...any)) {
		add("requests\ta second\tp50 ms\tp99 ms")
		for _, k := range h.Kinds {
			add("%s\t%.0f\t%.2f\t%.2f", k.Name, k.PerSecond, k.Latency.P50, k.Latency.P99)
		}
	})
	fmt.Fprintf(w, "of the constant handler's requests a second: %.2f with distinct windows (goal 0.30), %.2f with the same question (goal 0.70)\n"+
		"HTTP over the store's own time, one at a time: p50 %.3f ms (goal 0.5), p99 %.3f ms of %d (p50 of all: %.2f ms)\n",
		h.DistinctToConstant, h.SameToConstant, h.OverStore.P50, h.OverStore.P99, h.OverStore.Count, h.OneAtATime.P50)
}

func (r *report) printTrickle(w io.Writer) {
	t := r.Trickle
	table(w, fmt.Sprintf("Trickle of %.0f messages a second, %d readers", t.PerSecond, t.Readers), func(add func(string, ...any)) {
		add("\tcount\tp50 ms\tp99 ms")
		add("answers before\t%d\t%.2f\t%.2f", t.Before.Count, t.Before.P50, t.Before.P99)
		add("answers during\t%d\t%.2f\t%.2f", t.During.Count, t.During.P50, t.During.P99)
		add("loader's lag\t%d\t%.2f\t%.2f", t.Lag.Count, t.Lag.P50, t.Lag.P99)
		add("greatest lag\t\t\t%.2f", t.MaxLag)
	})
}

func (r *report) printLoader(w io.Writer) {
	l := r.Loader
	table(w, fmt.Sprintf("Loading %d messages (%d records)", l.Messages, l.Records), func(add func(string, ...any)) {
		add("\tmessages a second")
		add("orgstats load\t%.0f", l.LoadPerSecond)
		add("INSERT … FORMAT JSONEachRow\t%.0f", l.InsertPerSecond)
		add("ratio (goal 0.50)\t%.2f", l.LoadToInsert)
		add("loader's peak memory, MiB (goal 512)\t%.0f", float64(l.PeakMemory)/(1<<20))
	})
}

func (r *report) printMemory(w io.Writer) {
	m := r.Memory
	table(w, fmt.Sprintf("Distinct windows of %d organizations", m.Organizations), func(add func(string, ...any)) {
		add("service\ta second\tp50 ms\tp99 ms\tkept MiB\tevicted\tpeak memory MiB")
		for _, row := range []struct {
			name string
			memoryRun
		}{{"keeps nothing", m.Nothing}, {fmt.Sprintf("at a bound of %d MiB", m.Bound>>20), m.AtBound}} {
			add("%s\t%.0f\t%.2f\t%.2f\t%d\t%d\t%d", row.name, row.PerSecond, row.Latency.P50, row.Latency.P99, row.Kept>>20, row.Evicted, row.PeakMemory>>20)
		}
	})
	fmt.Fprintf(w, "peak memory to the bound: %.2f (goal at most 1.15)\n", float64(m.AtBound.PeakMemory)/float64(m.Bound))
}

func (r *report) printSizes(w io.Writer) {
	table(w, "On disk", func(add func(string, ...any)) {
		add("table\trows\tparts\tMiB")
		for _, t := range r.Sizes.Tables {
			add("%s\t%d\t%d\t%.1f", t.Table, t.Rows, t.Parts, float64(t.Bytes)/(1<<20))
		}
		add("cells and activity, against messages (goal below 0.20)\t\t\t%.2f", r.Sizes.CellsToMessages)
	})
}

func (r *report) printOverload(w io.Writer) {
	o := r.Overload
	table(w, fmt.Sprintf("Beyond what the service can hold, which is %.0f distinct questions a second", o.Capacity), func(add func(string, ...any)) {
		add("load\tanswered a second\tanswered p50 ms\tp99 ms\trefused\trefused p99 ms\tfailed\tsent late p99 ms")
		for _, row := range []struct {
			name string
			loadResult
		}{
			{"half", o.Half},
			{"three times", o.Thrice},
			{"a quiet organization alone", o.QuietAlone},
			{"beside one at its limit", o.QuietBeside},
			{"beside one at ten times its limit", o.QuietBesideNoisy},
		} {
			add("%s\t%.0f\t%.2f\t%.2f\t%d\t%.2f\t%d\t%.2f", row.name, row.PerSecond, row.Accepted.P50, row.Accepted.P99, row.Refused.Count,
				row.Refused.P99, row.Failed, row.Late)
		}
	})
	fmt.Fprintf(w, "p99 at three times to p99 at half: %s (goal at most 2); the quiet one's p99 beside one at ten times its limit to alone: "+
		"%s (goal at most 1.2), to beside one at its limit: %s; memory before %d MiB, after %d MiB\n", ratio(o.Thrice.Accepted.P99/o.Half.Accepted.P99),
		ratio(o.QuietBesideNoisy.Accepted.P99/o.QuietAlone.Accepted.P99),
		ratio(o.QuietBesideNoisy.Accepted.P99/o.QuietBeside.Accepted.P99), o.MemoryBefore>>20, o.MemoryAfter>>20)
}
