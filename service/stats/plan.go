package stats

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
)

// Source is a table that answers for a part of a window.
type Source string

// The sources, coarsest first.
const (
	Months     Source = "month cells"
	Days       Source = "day cells"
	Hours      Source = "hour cells"
	UserMonths Source = "user months"   // not by agent
	Activity   Source = "user activity" // by day
	Messages   Source = "messages"
)

// Stretch is a part of a window: From <= t < Until, in milliseconds since 1970 UTC.
type Stretch struct{ From, Until int64 }

// Part is what one source answers for: stretches in order, none of which touches the next.
type Part struct {
	Source    Source
	Stretches []Stretch
}

// Plan says from where each part of a question's window is answered. Its parts cover the window, and do not overlap.
type Plan struct {
	Question Question
	Parts    []Part // coarsest source first; sources that answer nothing are absent

	// UserNo is the dense number of the question's user, 0 while it is not known: then the statement looks it up.
	UserNo uint32
}

// stretches are those of a source, nil when it answers nothing.
func (p Plan) stretches(source Source) []Stretch {
	for _, part := range p.Parts {
		if part.Source == source {
			return part.Stretches
		}
	}
	return nil
}

// String prints the plan for people.
func (p Plan) String() string {
	var text strings.Builder
	for _, part := range p.Parts {
		fmt.Fprintf(&text, "%s:\n", part.Source)
		for _, s := range part.Stretches {
			fmt.Fprintf(&text, "  %s to %s\n", instant(s.From), instant(s.Until-1))
		}
	}
	if text.Len() == 0 {
		return "nothing: no record has a time in the window\n"
	}
	return text.String()
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// newPlan makes the plan of a question: buckets as coarse as they fit into the window and are not stale, and messages
// for what is left; or the messages alone where they are few.
func newPlan(q Question, s state, few uint64) Plan {
	if s.size.within(q.From, q.Until) < few*scatter(q) {
		return planOf(q, s, nil)
	}
	return planOf(q, s, sourcesFor(q))
}

// DefaultFew is how many messages of a window are read as fast as the cells that stand for them.
const DefaultFew = 20_000

// scatter is how many times as many messages are read as fast as what stands for them when it is asked about users: it
// is scattered over a table.
func scatter(q Question) uint64 {
	switch {
	case q.byMetadata():
		return 8
	case q.UserID != "":
		return 2
	}
	return 1
}

// sourcesFor are the sources beside the messages that answer a question fastest, coarsest first.
func sourcesFor(q Question) []Source {
	switch {
	case !q.byMetadata() && q.UserID == "":
		return []Source{Months, Days, Hours}
	case q.AgentID != "":
		return []Source{Activity}
	}
	return []Source{UserMonths, Activity}
}

// planOf makes the plan of a question from some sources.
func planOf(q Question, s state, sources []Source) Plan {
	planner := planner{state: s, taken: map[Source][]Stretch{}}
	if q.From < q.Until {
		planner.cover(Stretch{q.From, q.Until}, sources)
	}
	plan := Plan{Question: q}
	for _, source := range append(sources, Messages) {
		if stretches := planner.taken[source]; len(stretches) > 0 {
			plan.Parts = append(plan.Parts, Part{source, stretches})
		}
	}
	return plan
}

type planner struct {
	state state
	taken map[Source][]Stretch
}

// cover hands the buckets of the first source that lie in the stretch and are not stale to it, and the rest to the
// finer sources.
func (p *planner) cover(s Stretch, sources []Source) {
	if len(sources) == 0 {
		p.take(Messages, s)
		return
	}
	source, finer := sources[0], sources[1:]
	rest := s.From // what lies before is handed out
	for from := source.grain().Ceil(s.From); ; {
		until := source.grain().Next(from)
		if until > s.Until {
			break
		}
		if !p.state.anyStale(from, until) {
			if rest < from {
				p.cover(Stretch{rest, from}, finer)
			}
			p.take(source, Stretch{from, until})
			rest = until
		}
		from = until
	}
	if rest < s.Until {
		p.cover(Stretch{rest, s.Until}, finer)
	}
}

// take gives a stretch to a source, joined to the one before when they touch.
func (p *planner) take(source Source, s Stretch) {
	taken := p.taken[source]
	if last := len(taken) - 1; last >= 0 && taken[last].Until == s.From {
		taken[last].Until = s.Until
	} else {
		p.taken[source] = append(taken, s)
	}
}

// grain is the grain of the source's buckets. The messages have none.
func (s Source) grain() cells.Grain {
	switch s {
	case Hours:
		return cells.Hour
	case Months, UserMonths:
		return cells.Month
	default:
		return cells.Day
	}
}

// Kinds of plans, and of the statements that answer by them. Ragged ends of windows are read from the messages by all.
const (
	KindCells    = "cells"
	KindActivity = "activity"
	KindRaw      = "raw"   // the messages alone
	KindState    = "state" // no plan: what the loader says of the organization
)

// Kind tells what the plan is made of.
func (p Plan) Kind() string {
	for _, part := range p.Parts {
		switch part.Source {
		case Months, Days, Hours:
			return KindCells
		case UserMonths, Activity:
			return KindActivity
		}
	}
	return KindRaw
}

// planned is the context of the statements of a plan.
func planned(ctx context.Context, kind string) context.Context {
	accountOf(ctx).note(func(c *Costs) { c.Plan = kind })
	return clickhouse.Named(ctx, kind)
}
