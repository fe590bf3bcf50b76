package stats

import (
	"cmp"
	"errors"
	"slices"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

// found is what was fetched of a subject.
type found struct {
	buckets map[piece]buckets.Grouped
	rows    map[int64]*buckets.Rows   // by the start of their unit
	live    map[int64]buckets.Grouped // by the start of their slot
	summed  map[int64]buckets.Grouped // by the start of their slot

	building *buckets.Builder // of the unit that is being read
	unit     int64            // its start
}

var (
	// errUnknownAgent is returned where an agent's number is newer than the ids of agents in memory.
	errUnknownAgent = errors.New("an agent's id is not known")
	// errUnknownUser is returned where a user's number is newer than the ids of users that were read with it.
	errUnknownUser = errors.New("a user's id is not known")
)

// answer returns the answer of a plan, given what was fetched for it.
func (p *plan) answer(f *fetched) (Answer, error) {
	g := p.question.Grouping
	p.users, p.values = f.users, f.values
	if g.By != "" {
		if err := p.rank(f); err != nil {
			return Answer{}, err
		}
	}
	if g.Interval != "" {
		if err := p.fill(f, p.slots, true); err != nil {
			return Answer{}, err
		}
	}
	if g.Interval == "" || g.By != "" {
		if err := p.fill(f, p.question.windows(), false); err != nil {
			return Answer{}, err
		}
	}
	return p.tally.answer()
}

// side is a part of a plan with what was fetched for it, and the records that it lets through.
type side struct {
	*part
	found
	choice
}

// sides returns the messages and the files of a plan.
func (p *plan) sides(f *fetched) [2]side {
	return [2]side{{&p.messages, f.messages, p.choice}, {&p.files, f.files, choice{}}}
}

// rank sorts the groups by the question's figure in its window, and assigns rows to the first ones.
func (p *plan) rank(f *fetched) error {
	t, limit := p.tally, p.question.Grouping.Limit
	var ranked []rankedGroup
	for _, s := range p.sides(f) {
		if s.key.by == "" {
			continue
		}
		groups := s.groups([]Interval{t.window.Interval})[0]
		if p.values != nil {
			groups = p.values.union(groups)
		}
		for number, union := range groups {
			r, err := p.rankedGroup(number, s.subject, union)
			if err != nil {
				return err
			}
			if r.Window.of(s.subject.records) > 0 {
				ranked = append(ranked, r)
			}
		}
	}
	slices.SortFunc(ranked, func(x, y rankedGroup) int { return p.question.Grouping.compare(x.Row, y.Row) })
	t.groups = len(ranked)
	p.rowOf = map[uint32]uint32{}
	for n, r := range ranked[:min(len(ranked), limit)] {
		p.rowOf[r.number] = uint32(n + 1)
		row := t.row(uint32(n + 1))
		row.Group, row.Window.Figures = r.Group, r.Window.Figures
	}
	return nil
}

// rankedGroup is a group with its figures in the window.
type rankedGroup struct {
	number uint32
	Row
}

func (p *plan) rankedGroup(number uint32, of *subject, union *buckets.Union) (r rankedGroup, err error) {
	r.number = number
	if r.Group, err = p.group(number); err != nil {
		return r, err
	}
	if err := of.addTo(&r.Window.Figures, union); err != nil {
		return r, err
	}
	return r, r.addFeedback() // which rows may be sorted by
}

// group returns the group of a number: that of an agent, a user, a knowledge base, or of a value of the metadata.
func (p *plan) group(number uint32) (Group, error) {
	if number == 0 {
		return Group{None: true}, nil
	}
	switch p.question.Grouping.By {
	case ByKnowledgeBase:
		return Group{Value: p.baseIDs[number-1]}, nil
	case ByMetadata:
		return Group{Value: p.values.values[number-1]}, nil
	case ByUser:
		return groupIn(p.users, number, errUnknownUser)
	}
	return groupIn(p.agents, number, errUnknownAgent)
}

// groupIn returns the group of the id of a number, or an error if there is none.
func groupIn(ids map[uint32]string, number uint32, unknown error) (Group, error) {
	id, ok := ids[number]
	if !ok {
		return Group{}, unknown
	}
	return Group{Value: id}, nil
}

// rowsOf returns the rows that a number counts in. A user with several values counts once in a row of several groups.
func (p *plan) rowsOf(number uint32) (rows []uint32) {
	groups := []uint32{number}
	if p.values != nil {
		groups = p.values.of(number)
	}
	for _, group := range groups {
		row, shown := p.rowOf[group]
		if !shown {
			row = uint32(p.question.Grouping.Limit + 1)
		}
		if !slices.Contains(rows, row) {
			rows = append(rows, row)
		}
	}
	return rows
}

// fill sets the figures of all rows for some slots: intervals, or whole windows.
func (p *plan) fill(f *fetched, slots []Interval, ofIntervals bool) error {
	for _, s := range p.sides(f) {
		fill := p.fillTotal
		if s.key.by != "" {
			fill = p.fillRows
		}
		if err := fill(s, slots, ofIntervals); err != nil {
			return err
		}
	}
	return nil
}

// fillTotal sets a subject's figures of the total.
func (p *plan) fillTotal(s side, slots []Interval, ofIntervals bool) error {
	total := p.tally.row(0)
	for _, slot := range s.counted {
		s.subject.copyTo(p.tally.figures(total, slot.From, ofIntervals), &slot.figures)
	}
	slots = s.uncounted(slots)
	unions := s.newUnions(len(slots))
	s.addTo(slots, func(slot int, _ uint32) *buckets.Union { return &unions[slot] })
	return p.setTotal(s.subject, slots, ofIntervals, unions)
}

// setTotal sets a subject's figures of the total to those of unions of slots.
func (p *plan) setTotal(of *subject, slots []Interval, ofIntervals bool, unions []buckets.Union) error {
	total := p.tally.row(0)
	for n, slot := range slots {
		if err := of.addTo(p.tally.figures(total, slot.From, ofIntervals), &unions[n]); err != nil {
			return err
		}
	}
	return nil
}

// fillRows sets a subject's figures of all rows.
func (p *plan) fillRows(s side, slots []Interval, ofIntervals bool) error {
	t, others := p.tally, uint32(p.question.Grouping.Limit+1)
	totals := s.newUnions(len(slots))
	for n, groups := range s.groups(slots) {
		rows := map[uint32]*buckets.Union{}
		for number, union := range groups {
			totals[n].AddUnion(union)
			for _, row := range p.rowsOf(number) {
				if rows[row] == nil {
					rows[row] = s.subject.newUnion()
				}
				rows[row].AddUnion(union)
			}
		}
		for row, union := range rows {
			if !ofIntervals && slots[n] == t.window.Interval && row != others {
				continue // the group was counted to be ranked
			}
			if err := s.subject.addTo(t.figures(t.row(row), slots[n].From, ofIntervals), union); err != nil {
				return err
			}
		}
	}
	return p.setTotal(s.subject, slots, ofIntervals, totals)
}

// groups returns what a side has in each slot, by the number of the group.
func (s side) groups(slots []Interval) []map[uint32]*buckets.Union {
	all := make([]map[uint32]*buckets.Union, len(slots))
	s.addTo(slots, func(slot int, number uint32) *buckets.Union {
		if all[slot] == nil {
			all[slot] = map[uint32]*buckets.Union{}
		}
		u := all[slot][number]
		if u == nil {
			u = s.subject.newUnion()
			all[slot][number] = u
		}
		return u
	})
	return all
}

// addTo adds what a side has to the unions of slots and groups. What lies in no slot is left out.
func (s side) addTo(slots []Interval, union func(slot int, number uint32) *buckets.Union) {
	add := func(start int64, g buckets.Grouped) {
		if slot, ok := slotOf(start, slots); ok {
			for _, group := range g {
				union(slot, group.Number).Add(group.Bucket)
			}
		}
	}
	for _, h := range s.held {
		add(h.start, h.groups)
	}
	for _, piece := range s.lackingPieces {
		add(piece.start, s.buckets[piece])
	}
	for _, found := range []map[int64]buckets.Grouped{s.found.live, s.found.summed} {
		for start, groups := range found {
			add(start, groups)
		}
	}
	if s.nothing {
		return
	}
	for _, h := range s.allRows(s.found) {
		slot, ok := slotOf(h.From, slots)
		switch {
		case !ok:
		case s.key.by != "":
			h.rows.AddRowsBy(s.subject.groupSet[s.key.by], h.From, h.Until, s.filters, func(number uint32) *buckets.Union { return union(slot, number) })
		default:
			union(slot, 0).AddRows(h.rows, h.From, h.Until, s.filters)
		}
	}
}

// allRows returns the records one by one that are needed, those that were there and those that were fetched.
func (p *part) allRows(f found) []heldRows {
	all := slices.Clone(p.rows)
	for _, i := range p.lackingRows {
		all = append(all, heldRows{i, f.rows[p.subject.unit.Start(i.From)]})
	}
	return all
}

// slotOf returns the number of the last slot that does not begin after a time, -1 if all do, and whether the time is in
// it.
func slotOf(time int64, slots []Interval) (n int, ok bool) {
	n, exact := slices.BinarySearchFunc(slots, time, func(i Interval, time int64) int { return cmp.Compare(i.From, time) })
	if !exact {
		n--
	}
	return n, n >= 0 && time < slots[n].Until
}
