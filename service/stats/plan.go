package stats

import (
	"fmt"
	"strings"
	"time"

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

// Interval is a part of a window: From <= t < Until, in milliseconds since 1970 UTC.
type Interval struct{ From, Until int64 }

// Step is what one source answers for: intervals in order, none of which touches the next.
type Step struct {
	Source    Source
	Intervals []Interval
}

// Plan says from where each part of a question's window is answered. Its steps cover the window, and do not overlap.
type Plan struct {
	Question Question
	Steps    []Step // coarsest source first; sources that answer nothing are absent

	// UserNo is the dense number of the question's user, 0 while it is not known: then the statement looks it up.
	UserNo uint32
}

// Kinds of plans, and of the statements that answer by them. Ragged ends of windows are read from the messages by all.
const (
	KindCells    = "cells"
	KindActivity = "activity"
	KindRaw      = "raw"   // the messages alone
	KindState    = "state" // no plan: what the loader has written about the organization
)

// Kind returns what the plan is made of.
func (p Plan) Kind() string {
	for _, step := range p.Steps {
		switch step.Source {
		case Months, Days, Hours:
			return KindCells
		case UserMonths, Activity:
			return KindActivity
		}
	}
	return KindRaw
}

// intervals returns those of a source, nil when it answers nothing.
func (p Plan) intervals(source Source) []Interval {
	for _, step := range p.Steps {
		if step.Source == source {
			return step.Intervals
		}
	}
	return nil
}

// String returns the plan in words.
func (p Plan) String() string {
	var text strings.Builder
	for _, step := range p.Steps {
		fmt.Fprintf(&text, "%s:\n", step.Source)
		for _, i := range step.Intervals {
			fmt.Fprintf(&text, "  %s to %s\n", instant(i.From), instant(i.Until-1))
		}
	}
	if text.Len() == 0 {
		return "nothing: no record has a time in the window\n"
	}
	return text.String()
}

func instant(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// newPlan returns the plan of a question: buckets as coarse as they fit into the window and are not stale, and messages
// for what is left; or the messages alone where the window is small.
func newPlan(q Question, s state, smallWindow uint64) Plan {
	if s.size.within(q.From, q.Until) < smallWindow*smallWindowFactor(q) {
		return planOf(q, s, nil)
	}
	return planOf(q, s, sourcesFor(q))
}

// DefaultSmallWindow is how many messages of a window are read as fast as the cells that stand for them.
const DefaultSmallWindow = 20_000

// smallWindowFactor returns how many times as many messages are read as fast as what stands for them when the question
// is about users, which is scattered over a table.
func smallWindowFactor(q Question) uint64 {
	switch {
	case q.byMetadata():
		return 8
	case q.UserID != "":
		return 2
	}
	return 1
}

// sourcesFor returns the sources beside the messages that answer a question fastest, coarsest first. There are none for
// a filter that they do not know, nor for a question that is grouped.
func sourcesFor(q Question) []Source {
	ofUsers := Filter{UserID: q.UserID, MetadataKey: q.MetadataKey, MetadataValue: q.MetadataValue}
	withAgent := ofUsers
	withAgent.AgentID = q.AgentID
	switch {
	case q.Grouping != Grouping{}:
		return nil
	case q.Filter == Filter{AgentID: q.AgentID}:
		return []Source{Months, Days, Hours}
	case q.Filter == ofUsers:
		return []Source{UserMonths, Activity}
	case q.Filter == withAgent:
		return []Source{Activity}
	}
	return nil
}

// planOf returns the plan of a question from some sources.
func planOf(q Question, s state, sources []Source) Plan {
	planner := planner{state: s, taken: map[Source][]Interval{}}
	if q.From < q.Until {
		planner.cover(Interval{q.From, q.Until}, sources)
	}
	plan := Plan{Question: q}
	for _, source := range append(sources, Messages) {
		if intervals := planner.taken[source]; len(intervals) > 0 {
			plan.Steps = append(plan.Steps, Step{source, intervals})
		}
	}
	return plan
}

type planner struct {
	state state
	taken map[Source][]Interval
}

// cover assigns the buckets of the first source that lie in the interval and are not stale to it, and the rest to the
// finer sources.
func (p *planner) cover(i Interval, sources []Source) {
	if len(sources) == 0 {
		p.assign(Messages, i)
		return
	}
	source, finer := sources[0], sources[1:]
	rest := i.From // what lies before is assigned
	for from := source.grain().Ceil(i.From); ; {
		until := source.grain().Next(from)
		if until > i.Until {
			break
		}
		if bucket := (Interval{from, until}); !p.state.anyStale(bucket) {
			if rest < from {
				p.cover(Interval{rest, from}, finer)
			}
			p.assign(source, bucket)
			rest = until
		}
		from = until
	}
	if rest < i.Until {
		p.cover(Interval{rest, i.Until}, finer)
	}
}

// assign adds an interval to a source, joined to the one before when they touch.
func (p *planner) assign(source Source, i Interval) {
	taken := p.taken[source]
	if last := len(taken) - 1; last >= 0 && taken[last].Until == i.From {
		taken[last].Until = i.Until
	} else {
		p.taken[source] = append(taken, i)
	}
}

// grain returns the grain of the source's buckets. The messages have none.
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
