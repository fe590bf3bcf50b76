package stats

import (
	"slices"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// plan is how a question is answered at one state of its organization: what of it is in memory, and what has to be
// fetched.
type plan struct {
	question Question
	tally    *tally            // of the answer; it serves once
	rowOf    map[uint32]uint32 // rows of the answer by the number of their group
	slots    []Interval        // of the question, in which records may be
	org      *organization
	messages part
	files    part
	choice   choice
	fetch    *fetch // nil: everything is in memory
	version  uint64 // of the organization when everything that the answer is put together from was right
	plain    bool   // only one statement is to read all: members are being written, or there are too many buckets

	agents        map[uint32]string // ids of the agents that rows are of, by number
	lackingAgents bool
	baseIDs       []string          // of the knowledge bases that rows are of, by number - 1
	users         map[uint32]string // ids of the users that rows are of, by number
	values        *userValues       // that rows are of; nil: users have none

	// state says that the organization's state has to be read with everything else; stale are the hours that were
	// believed to be stale until then, sorted.
	state bool
	stale []int32
}

// part is what a question needs of one subject.
type part struct {
	subject *subject
	key     seriesKey
	counted []countedSlot
	held    []heldBucket
	rows    []heldRows

	lackingPieces []piece
	extra         []piece    // are not needed, but fetched with the others, because others will soon be asked about them
	lackingRows   []Interval // each in one unit of the subject
	// live are intervals whose figures are read for this question alone, in one statement: they are being written, or
	// there is too much of them to be kept. summed is what is summed up for it from buckets, in another one.
	live   []Interval
	summed []piece
}

type heldBucket struct {
	piece
	groups buckets.Grouped
}

type heldRows struct {
	Interval
	rows *buckets.Rows
}

// choice says which records the filters of a question let through, by dense numbers.
type choice struct {
	filters []buckets.Filter
	lacking bool // some number is not known, and needed
	nothing bool // there is no such user or agent
}

func (p *part) complete() bool {
	return len(p.lackingPieces) == 0 && len(p.lackingRows) == 0 && len(p.live) == 0 && len(p.summed) == 0
}

// needsRows reports whether records one by one are needed.
func (p *part) needsRows() bool { return len(p.rows)+len(p.lackingRows) > 0 }

func (p *plan) complete() bool {
	return p.messages.complete() && p.files.complete() && !p.choice.lacking && !p.lackingAgents && !p.plain && !p.state
}

// plan plans a question. A plan that is not complete has a fetch, to which changes are noted until it is ended.
func (m *memory) plan(q Question) *plan {
	m.mu.Lock()
	defer m.mu.Unlock()
	o := m.organization(q.OrgID)
	t := newTally(q)
	p := &plan{question: q, org: o, tally: t, slots: t.slots(), version: o.version}
	if p.state = o.stateToRead(); p.state {
		p.stale = slices.Clone(o.state.stale)
	}
	p.messages = m.part(o, seriesKey{messageRecords, q.Filter, q.Grouping.of(messageRecords)}, p, o.state.anyStale)
	p.messages.limitLive(len(p.slots))
	if p.agents = o.agents; q.Grouping.By == ByAgent {
		p.lackingAgents = o.agents == nil
	}
	p.baseIDs = o.baseIDs
	p.plain = q.needsMembers() && o.state.writingMembers || p.messages.tooMany()
	none := func(Interval) bool { return false }
	p.files = m.part(o, seriesKey{subject: fileRecords, by: q.Grouping.of(fileRecords)}, p, none)
	if o.state.writingFiles {
		p.files = part{subject: fileRecords, key: p.files.key, live: p.slots}
	}
	if p.messages.needsRows() {
		p.choice = o.series[p.messages.key].choice(q.Filter, o.version)
	}
	m.lru.use(&o.item) // after what belongs to it, which is evicted with it
	if !p.complete() {
		p.fetch = &fetch{hours: map[int32]struct{}{}}
		o.fetches[p.fetch] = struct{}{}
	}
	return p
}

// part plans what a question needs of one subject.
func (m *memory) part(o *organization, key seriesKey, of *plan, anyStale func(Interval) bool) part {
	p := part{subject: key.subject, key: key}
	s, slots := m.seriesOf(o, key), of.slots
	if of.isSeries() {
		slots = p.useCounted(s, slots)
	}
	divided := divide(slots, key.subject.grains, anyStale)
	if fewHoursOfUsers(key, divided.pieces) {
		divided = division{rest: slots}
	}
	if key.by.ofUsers() {
		p.summed, p.live = divided.pieces, divided.rest
		return p
	}
	for _, piece := range divided.pieces {
		if b, ok := s.buckets[piece]; ok {
			p.held = append(p.held, heldBucket{piece, b})
		} else {
			p.lackingPieces = append(p.lackingPieces, piece)
		}
	}
	rest := unitsOf(divided.rest, key.subject.unit)
	p.widen(s, rest, anyStale)
	for _, i := range rest {
		p.addRest(m, o, i)
	}
	return p
}

// fewHours is how many hours are faster taken from their messages, which serve every filter, than from users' activity.
const fewHours = 2

// fewHoursOfUsers reports whether the buckets are few hours of some users' messages.
func fewHoursOfUsers(key seriesKey, pieces []piece) bool {
	return !key.filter.hasCells() && key.by == "" && len(pieces) <= fewHours && !slices.ContainsFunc(pieces, func(p piece) bool { return p.grain != cells.Hour })
}

// maxGrouped is how many buckets of all groups are fetched for a question: there may be some hundred groups in each.
const maxGrouped = 400

// tooMany reports whether the part lacks more buckets than are fetched.
func (p *part) tooMany() bool { return p.key.by != "" && len(p.lackingPieces) > maxGrouped }

// widen adds the other hours of days of which an hour is lacking, and the other days of such months: a statement costs
// much more than some more of its rows, and the next window ends in another hour of the day. Many users' activity of a
// month is not that little, nor are the buckets of all groups.
func (p *part) widen(s *series, rest []Interval, anyStale func(Interval) bool) {
	if len(p.lackingPieces) == 0 || p.key.by != "" {
		return
	}
	planned := map[piece]bool{} // and what holds a planned piece, or something of the rest
	for _, i := range rest {
		planned[piece{p.subject.unit, p.subject.unit.Start(i.From)}] = true
	}
	for _, l := range p.lackingPieces {
		planned[l] = true
		if l.grain == cells.Hour {
			planned[piece{cells.Day, cells.Day.Start(l.start)}] = true
		}
	}
	for _, l := range p.lackingPieces {
		var around Interval
		switch {
		case l.grain == cells.Hour:
			around = piece{cells.Day, cells.Day.Start(l.start)}.interval()
		case l.grain == cells.Day && !p.key.filter.byMetadata():
			around = piece{cells.Month, cells.Month.Start(l.start)}.interval()
		default:
			continue
		}
		for start := around.From; start < around.Until; start = l.grain.Next(start) {
			other := piece{l.grain, start}
			if _, held := s.buckets[other]; !held && !planned[other] && !anyStale(other.interval()) {
				planned[other] = true
				p.extra = append(p.extra, other)
			}
		}
	}
}

// toFetch returns the buckets to fetch.
func (p *part) toFetch() []piece { return slices.Concat(p.lackingPieces, p.extra) }

// addRest adds an interval that no bucket covers.
func (p *part) addRest(m *memory, o *organization, i Interval) {
	start := p.subject.unit.Start(i.From)
	if p.subject == messageRecords {
		hour := cells.HourNumber(start)
		_, writing := o.state.writing[hour]
		if _, large := o.state.large[hour]; writing || large {
			p.live = appendJoined(p.live, i)
			return
		}
	}
	if r := o.rows[rowsKey{p.subject, start}]; r != nil {
		m.lru.use(&r.item)
		p.rows = append(p.rows, heldRows{i, r.rows})
	} else {
		p.lackingRows = append(p.lackingRows, i)
	}
}

const (
	// maxUnits is how many intervals of records are read one by one for a question, beside one for each interval of a
	// series: in some zones, days begin within an hour. Where more are stale, ClickHouse sums them up.
	maxUnits = 64
	// maxLive is how many intervals a statement names; more become the one that holds them all.
	maxLive = 100
)

// limitLive bounds how much is read one by one, and how many intervals are read live.
func (p *part) limitLive(slots int) {
	if len(p.lackingRows) > maxUnits+2*slots {
		p.live = mergeIntervals(p.live, p.lackingRows)
		p.lackingRows = nil
	}
	if len(p.live) <= maxLive {
		return
	}
	all := Interval{p.live[0].From, p.live[len(p.live)-1].Until}
	p.live = []Interval{all}
	p.counted = without(p.counted, func(c countedSlot) bool { return all.overlaps(c.Interval) })
	p.held = without(p.held, func(h heldBucket) bool { return all.overlaps(h.interval()) })
	p.rows = without(p.rows, func(h heldRows) bool { return all.overlaps(h.Interval) })
	within := func(l piece) bool { return all.overlaps(l.interval()) }
	p.lackingPieces, p.summed = without(p.lackingPieces, within), without(p.summed, within)
	p.lackingRows = without(p.lackingRows, all.overlaps)
}

// choice returns which records a filter lets through, as far as its numbers are known. What did not exist at a version
// of the organization may exist at another.
func (s *series) choice(f Filter, version uint64) (c choice) {
	for _, number := range []struct {
		text string
		no   uint32
		set  int
	}{{f.AgentID, s.agentNo, agentSet}, {f.UserID, s.userNo, userSet}} {
		switch {
		case number.text == "":
		case number.no != 0:
			c.filters = append(c.filters, buckets.Filter{Set: number.set, Number: number.no})
		case s.lookedUp == version:
			c.nothing = true
		default:
			c.lacking = true
		}
	}
	if f.byMetadata() {
		c.filters = append(c.filters, buckets.Filter{Set: userSet, Among: s.members})
		c.lacking = c.lacking || s.members == nil
	}
	return c
}
