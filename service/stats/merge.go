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

	building *buckets.Builder // of the unit that is being read
	unit     int64            // its start
}

// errUnknownAgent is returned where an agent's number is newer than the ids of agents in memory.
var errUnknownAgent = errors.New("an agent's id is not known")

// answer returns the answer of a plan, given what was fetched for it.
func (p *plan) answer(f *fetched) (Answer, error) {
	g := p.question.Grouping
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

// rank sorts the groups by the question's figure in its window, and assigns rows to the first ones.
func (p *plan) rank(f *fetched) error {
	t, limit := p.tally, p.question.Grouping.Limit
	var ranked []rankedGroup
	for number, union := range p.messages.groups(f.messages, p.choice, []Interval{t.window.Interval})[0] {
		r, err := p.rankedGroup(number, union)
		if err != nil {
			return err
		}
		if r.Window.MessageCount > 0 {
			ranked = append(ranked, r)
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

func (p *plan) rankedGroup(number uint32, union *buckets.Union) (r rankedGroup, err error) {
	r.number = number
	if r.Group, err = p.agent(number); err != nil {
		return r, err
	}
	if err := p.messages.subject.addTo(&r.Window.Figures, union); err != nil {
		return r, err
	}
	return r, r.addFeedback() // which rows may be sorted by
}

// agent returns the group of an agent's number.
func (p *plan) agent(number uint32) (Group, error) {
	if number == 0 {
		return Group{None: true}, nil
	}
	id, ok := p.agents[number]
	if !ok {
		return Group{}, errUnknownAgent
	}
	return Group{Value: id}, nil
}

// fill sets the figures of all rows for some slots: intervals, or whole windows.
func (p *plan) fill(f *fetched, slots []Interval, ofIntervals bool) error {
	totals := p.messages.newUnions(len(slots))
	if p.messages.key.by == "" {
		p.messages.addTo(f.messages, p.choice, slots, func(slot int, _ uint32) *buckets.Union { return &totals[slot] })
	} else if err := p.fillRows(f, slots, ofIntervals, totals); err != nil {
		return err
	}
	files := p.files.newUnions(len(slots))
	p.files.addTo(f.files, choice{}, slots, func(slot int, _ uint32) *buckets.Union { return &files[slot] })
	for n, slot := range slots {
		figures := p.tally.figures(p.tally.row(0), slot.From, ofIntervals)
		if err := errors.Join(p.messages.subject.addTo(figures, &totals[n]), p.files.subject.addTo(figures, &files[n])); err != nil {
			return err
		}
	}
	return nil
}

// fillRows sets the figures of the rows but the total, and adds up the total.
func (p *plan) fillRows(f *fetched, slots []Interval, ofIntervals bool, totals []buckets.Union) error {
	t, others := p.tally, uint32(p.question.Grouping.Limit+1)
	for n, groups := range p.messages.groups(f.messages, p.choice, slots) {
		rows := map[uint32]*buckets.Union{}
		for number, union := range groups {
			totals[n].AddUnion(union)
			row, shown := p.rowOf[number]
			if !shown {
				row = others
			}
			if rows[row] == nil {
				rows[row] = p.messages.subject.newUnion()
			}
			rows[row].AddUnion(union)
		}
		for row, union := range rows {
			if !ofIntervals && slots[n] == t.window.Interval && row != others {
				continue // the group was counted to be ranked
			}
			if err := p.messages.subject.addTo(t.figures(t.row(row), slots[n].From, ofIntervals), union); err != nil {
				return err
			}
		}
	}
	return nil
}

// groups returns what a part has in each slot, by the number of the group.
func (p *part) groups(f found, c choice, slots []Interval) []map[uint32]*buckets.Union {
	all := make([]map[uint32]*buckets.Union, len(slots))
	p.addTo(f, c, slots, func(slot int, number uint32) *buckets.Union {
		if all[slot] == nil {
			all[slot] = map[uint32]*buckets.Union{}
		}
		u := all[slot][number]
		if u == nil {
			u = p.subject.newUnion()
			all[slot][number] = u
		}
		return u
	})
	return all
}

// addTo adds what a part has to the unions of slots and groups. What lies in no slot is left out.
func (p *part) addTo(f found, c choice, slots []Interval, union func(slot int, number uint32) *buckets.Union) {
	add := func(start int64, g buckets.Grouped) {
		if slot, ok := slotOf(start, slots); ok {
			for _, group := range g {
				union(slot, group.Number).Add(group.Bucket)
			}
		}
	}
	for _, h := range p.held {
		add(h.start, h.groups)
	}
	for _, piece := range p.lackingPieces {
		add(piece.start, f.buckets[piece])
	}
	for start, groups := range f.live {
		add(start, groups)
	}
	if c.nothing {
		return
	}
	for _, h := range p.allRows(f) {
		slot, ok := slotOf(h.From, slots)
		switch {
		case !ok:
		case p.key.by == ByAgent:
			h.rows.AddRowsBy(agentSet, h.From, h.Until, c.filters, func(number uint32) *buckets.Union { return union(slot, number) })
		default:
			union(slot, 0).AddRows(h.rows, h.From, h.Until, c.filters)
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
