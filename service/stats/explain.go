package stats

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// Explanation says how a question would be answered now.
type Explanation struct {
	Sources []Source
	Queries []clickhouse.Query // for what is not in memory
}

// Source is a part of a window that is answered in one way.
type Source struct {
	Name      string // "messages: month buckets", for example
	InMemory  bool
	Intervals []Interval // in order, none of which touches the next
}

// Explain says how a question would be answered now. It fetches nothing: what is stale of an organization shows only
// once something of it is in memory.
func (s *Store) Explain(ctx context.Context, q Question) (Explanation, error) {
	r := Request{Question: q}
	ctx, cancel := s.statement(ctx, r)
	defer cancel()
	if err := s.changes.follow(ctx, session{s, r}, time.Now()); err != nil {
		return Explanation{}, classify(err)
	}
	p := s.memory.plan(q)
	defer s.memory.end(p)
	if p.plain || !q.Grouping.isPlanned() {
		return Explanation{
			Sources: []Source{{Name: "everything, by the plain query", Intervals: mergeIntervals(p.slots, nil)}},
			Queries: []clickhouse.Query{PlainQuery(q)},
		}, nil
	}
	e := Explanation{Sources: append(p.messages.sources(), p.files.sources()...)}
	for _, statement := range p.statements(&fetched{}) {
		e.Queries = append(e.Queries, statement.Query)
	}
	return e, nil
}

func (p *part) sources() (all []Source) {
	add := func(name string, inMemory bool, intervals []Interval) {
		if len(intervals) > 0 {
			all = append(all, Source{p.subject.name + ": " + name, inMemory, mergeIntervals(intervals, nil)})
		}
	}
	var counted []Interval
	for _, c := range p.counted {
		counted = append(counted, c.Interval)
	}
	add("intervals counted before", true, counted)
	for _, grain := range p.subject.grains {
		var held []Interval
		for _, h := range p.held {
			if h.grain == grain {
				held = append(held, h.interval())
			}
		}
		add(string(grain)+" buckets", true, held)
		add(string(grain)+" buckets", false, intervalsOf(p.lackingPieces, grain))
	}
	var rows []Interval
	for _, r := range p.rows {
		rows = append(rows, r.Interval)
	}
	add("one by one", true, rows)
	add("one by one", false, p.lackingRows)
	add("hours summed up for this question alone", false, intervalsOf(p.summed, ""))
	add("summed up for this question alone", false, p.live)
	return all
}

// String returns the sources in words.
func (e Explanation) String() string {
	var text strings.Builder
	for _, source := range e.Sources {
		where := "fetched"
		if source.InMemory {
			where = "in memory"
		}
		fmt.Fprintf(&text, "%s (%s):\n", source.Name, where)
		for _, i := range source.Intervals {
			fmt.Fprintf(&text, "  %s to %s\n", Instant(i.From), Instant(i.Until-1))
		}
	}
	if text.Len() == 0 {
		return "nothing: no record has a time in the window\n"
	}
	return text.String()
}
