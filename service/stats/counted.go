package stats

import (
	"slices"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
)

// Figures of the intervals of a series are kept beside the buckets that they were counted from, as long as these are
// right: a dashboard asks for a whole series again when only its last interval has changed, and days of a zone that is
// not UTC are 24 buckets each.

// countedSlots are the figures of intervals that lie whole in a window, by the month of UTC that they begin in, so that
// those which hold an hour are found without a look at all.
type countedSlots map[int64]map[Interval]Figures

// countedSlot is an interval with figures of it, of which a subject's own are used.
type countedSlot struct {
	Interval
	figures Figures
}

// longestCounted is the greatest length of an interval whose figures are kept: a week, and a change of the clocks.
// Longer ones are few, and are counted from coarser buckets.
const longestCounted = int64(7*24*time.Hour/time.Millisecond) + 2*cells.MsPerHour

// countedBytes is about how many bytes of memory the figures of an interval take.
const countedBytes = 8*figureCount + 2*pieceBytes

func (c countedSlots) add(i Interval, f Figures) {
	month := cells.Month.Start(i.From)
	if c[month] == nil {
		c[month] = map[Interval]Figures{}
	}
	c[month][i] = f
}

// drop removes the intervals that overlap another, which is not longer than a month, and returns how many these were.
func (c countedSlots) drop(other Interval) (dropped int) {
	month := cells.Month.Start(other.From)
	for _, start := range []int64{cells.Month.Start(month - 1), month} { // a week may begin in the month before
		for i := range c[start] {
			if i.overlaps(other) {
				delete(c[start], i)
				dropped++
			}
		}
	}
	return dropped
}

// useCounted takes the slots of a series whose figures were counted, and returns the others.
func (p *part) useCounted(s *series, slots []Interval) []Interval {
	for _, slot := range slots {
		if f, ok := s.counted[cells.Month.Start(slot.From)][slot]; ok {
			p.counted = append(p.counted, countedSlot{slot, f})
		}
	}
	return p.uncounted(slots)
}

// uncounted returns the slots that were not counted before. Both lists are in order.
func (p *part) uncounted(slots []Interval) (rest []Interval) {
	if len(p.counted) == 0 {
		return slots
	}
	n := 0
	for _, slot := range slots {
		if n < len(p.counted) && p.counted[n].Interval == slot {
			n++
		} else {
			rest = append(rest, slot)
		}
	}
	return rest
}

// keepCounted keeps the figures of the intervals that were counted for an answer, unless something of the organization
// has changed since.
func (m *memory) keepCounted(p *plan) {
	if !p.isSeries() {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.organizations[p.org.id] != p.org || p.org.version != p.version {
		return
	}
	for _, part := range []*part{&p.messages, &p.files} {
		m.keepCountedOf(p, part)
	}
	m.lru.use(&p.org.item) // after what belongs to it
	m.lru.shrink()
}

func (m *memory) keepCountedOf(p *plan, part *part) {
	s := m.seriesOf(p.org, part.key)
	for _, slot := range part.uncounted(p.slots) {
		isLive := slices.ContainsFunc(part.live, slot.overlaps)
		if _, kept := s.counted[cells.Month.Start(slot.From)][slot]; kept || isLive || !p.tally.isInner(slot) || slot.Until-slot.From > longestCounted {
			continue
		}
		s.counted.add(slot, *p.tally.figures(p.tally.row(0), slot.From, true))
		m.lru.grow(&s.item, countedBytes)
	}
}

// isSeries reports whether the question is grouped by nothing but an interval.
func (p *plan) isSeries() bool {
	return p.question.Grouping.Interval != "" && p.question.Grouping.By == ""
}

// isInner reports whether a slot is neither the first nor the last one of its window. Those may be cut by the window,
// which the next question seldom has.
func (t *tally) isInner(slot Interval) bool {
	of := t.window
	if slot.From < of.From {
		of = t.previous
	}
	return slot.From > of.From && slot.Until < of.Until
}
