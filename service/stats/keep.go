package stats

import (
	"slices"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
)

// pin keeps an organization from being evicted until it is unpinned.
func (m *memory) pin(id string) *organization {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.organization(id)
	o.pins++
	return o
}

func (m *memory) unpin(o *organization) {
	m.mu.Lock()
	defer m.mu.Unlock()
	o.pins--
	m.lru.shrink()
}

// end ends a plan without keeping anything.
func (m *memory) end(p *plan) {
	if p.fetch == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(p.org.fetches, p.fetch)
	m.lru.shrink() // planning notes what it was asked for, even if it is not fetched then
}

// tooLarge notes that the hours whose messages a plan lacks have too many to be kept.
func (m *memory) tooLarge(p *plan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range p.messages.lackingRows {
		p.org.state.large[cells.HourNumber(i.From)] = struct{}{}
	}
}

// keep ends a plan, and keeps what was fetched for it as far as nothing of it was announced to change meanwhile. It
// reports whether the plan can be answered with it.
func (m *memory) keep(p *plan, f *fetched) (right bool, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(p.org.fetches, p.fetch)
	if p.fetch.lost {
		return false, nil
	}
	defer m.lru.use(&p.org.item)
	if p.state && !m.keepState(p, f) {
		return false, nil
	}
	ofUsers := p.question.needsMembers() && p.fetch.members
	if !ofUsers {
		m.keepMessages(p, f)
	}
	if err := m.convertFiles(p.org, &p.files, f); err != nil {
		return false, err
	}
	if !p.fetch.files && len(p.files.live) == 0 {
		m.keepFound(p.org, &p.files, f.files, func(Interval) bool { return false })
	}
	p.version, p.baseIDs = p.org.version, p.org.baseIDs
	return !ofUsers && !p.choice.lacking && !p.messages.touchedBy(p.fetch, p.slots) &&
		(!p.fetch.files || len(p.files.live) > 0), nil
}

// keepState sets the state of the organization as it was read, with what was announced since. It reports whether the
// rest of what was fetched, at the same time, may be right: nothing is stale or being written that was not believed to
// be, and nothing was when the rest was read.
//
// That rests on the loader's order: what it reports, that all is written or hours are computed, it reports in the log
// first. So where the table no longer says that something is stale or being written, the log, which was read after the
// table, says if that ended only while the rest was read.
func (m *memory) keepState(p *plan, f *fetched) bool {
	s := newState(f.counter, f.stale)
	for _, c := range p.fetch.changes {
		s.apply(c)
	}
	p.org.state, p.org.read = s, time.Now()
	for _, hour := range s.stale {
		if _, believed := slices.BinarySearch(p.stale, hour); !believed {
			return false
		}
	}
	return !s.isWriting() && len(p.fetch.changes) == 0
}

// touchedBy reports whether an hour that the part uses was announced to change. What is read live may change: it is
// read as it is at one moment.
func (p *part) touchedBy(f *fetch, slots []Interval) bool {
	for hour := range f.hours {
		start := int64(hour) * cells.MsPerHour
		end := start + cells.MsPerHour
		n, _ := slotOf(start, slots) // or one of those that follow, which begin within the hour
		for n = max(n, 0); n < len(slots) && slots[n].From < end; n++ {
			i := Interval{max(start, slots[n].From), min(end, slots[n].Until)}
			if i.From < i.Until && !within(i, p.live) {
				return true
			}
		}
	}
	return false
}

// within reports whether an interval lies in one of a list.
func within(i Interval, list []Interval) bool {
	for _, l := range list {
		if l.From <= i.From && i.Until <= l.Until {
			return true
		}
	}
	return false
}

func (m *memory) keepMessages(p *plan, f *fetched) {
	m.keepFound(p.org, &p.messages, f.messages, p.fetch.touches)
	if p.lackingAgents {
		p.agents = f.agents
		m.keepAgents(p.org, f.agents)
	}
	if !p.choice.lacking {
		return
	}
	s := m.seriesOf(p.org, p.messages.key)
	s.agentNo, s.userNo = max(s.agentNo, f.agentNo), max(s.userNo, f.userNo)
	if f.members != nil {
		m.keepMembers(s, f.members)
	}
	if len(p.fetch.changes) == 0 {
		s.lookedUp = p.org.version
	}
	p.choice = s.choice(p.question.Filter, p.org.version)
}

// keepFound keeps what was fetched of a subject beside what was touched.
func (m *memory) keepFound(o *organization, p *part, f found, touched func(Interval) bool) {
	if len(f.buckets) > 0 {
		s := m.seriesOf(o, p.key)
		for piece, b := range f.buckets {
			if !touched(piece.interval()) {
				m.keepBucket(s, piece, b)
			}
		}
	}
	for start, rows := range f.rows {
		if !touched(piece{p.subject.unit, start}.interval()) {
			m.keepRows(o, rowsKey{p.subject, start}, rows)
		}
	}
}
