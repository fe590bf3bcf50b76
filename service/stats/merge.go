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
	t := p.tally
	rowOf := func(uint32) uint32 { return 0 }
	if p.question.Grouping.By != "" {
		var err error
		if rowOf, err = p.rank(t, f); err != nil {
			return Answer{}, err
		}
	}
	g := p.question.Grouping
	if g.Interval != "" {
		if err := p.fill(t, f, p.slots, true, rowOf); err != nil {
			return Answer{}, err
		}
	}
	if g.Interval == "" || g.By != "" {
		if err := p.fill(t, f, p.question.windows(), false, rowOf); err != nil {
			return Answer{}, err
		}
	}
	return t.answer()
}

// rank sorts the groups by the question's figure in its window, and returns the row of each, by its number.
func (p *plan) rank(t *tally, f *fetched) (rowOf func(number uint32) uint32, err error) {
	window := t.window.Interval
	var groups []rankedGroup
	for number, union := range p.messages.groups(f.messages, p.choice, []Interval{window})[0] {
		r := rankedGroup{number: number}
		if r.Group, err = p.agent(number); err != nil {
			return nil, err
		}
		if err := p.messages.subject.addTo(&r.Window.Figures, union); err != nil {
			return nil, err
		}
		if err := r.addFeedback(); err != nil { // which rows may be sorted by
			return nil, err
		}
		if r.Window.MessageCount > 0 {
			groups = append(groups, r)
		}
	}
	g := p.question.Grouping
	slices.SortFunc(groups, func(x, y rankedGroup) int { return g.compare(x.Row, y.Row) })
	t.groups = len(groups)
	rows := map[uint32]uint32{}
	for n, group := range groups[:min(len(groups), g.Limit)] {
		rows[group.number] = uint32(n + 1)
		row := t.row(uint32(n + 1))
		row.Group, row.Window.Figures = group.Group, group.Window.Figures
	}
	return func(number uint32) uint32 {
		if row, ok := rows[number]; ok {
			return row
		}
		return uint32(g.Limit + 1)
	}, nil
}

// rankedGroup is a group with its figures in the window.
type rankedGroup struct {
	number uint32
	Row
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
func (p *plan) fill(t *tally, f *fetched, slots []Interval, ofIntervals bool, rowOf func(number uint32) uint32) error {
	totals := p.messages.newUnions(len(slots))
	if p.messages.key.by == "" {
		p.messages.addTo(f.messages, p.choice, slots, func(slot int, _ uint32) *buckets.Union { return &totals[slot] })
	} else if err := p.fillRows(t, f, slots, ofIntervals, rowOf, totals); err != nil {
		return err
	}
	files := p.files.newUnions(len(slots))
	p.files.addTo(f.files, choice{}, slots, func(slot int, _ uint32) *buckets.Union { return &files[slot] })
	total := t.row(0)
	for n, slot := range slots {
		figures := t.figures(total, slot.From, ofIntervals)
		if err := errors.Join(p.messages.subject.addTo(figures, &totals[n]), p.files.subject.addTo(figures, &files[n])); err != nil {
			return err
		}
	}
	return nil
}

// fillRows sets the figures of the rows but the total, and adds up the total.
func (p *plan) fillRows(t *tally, f *fetched, slots []Interval, ofIntervals bool, rowOf func(number uint32) uint32, totals []buckets.Union) error {
	for n, groups := range p.messages.groups(f.messages, p.choice, slots) {
		rows := map[uint32]*buckets.Union{}
		for number, union := range groups {
			totals[n].AddUnion(union)
			row := rowOf(number)
			if rows[row] == nil {
				rows[row] = p.messages.subject.newUnion()
			}
			rows[row].AddUnion(union)
		}
		for row, union := range rows {
			if !ofIntervals && slots[n] == t.window.Interval && int(row) <= p.question.Grouping.Limit {
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

// slotOf returns the number of the slot that holds a time, if one does.
func slotOf(time int64, slots []Interval) (n int, ok bool) {
	n, exact := slices.BinarySearchFunc(slots, time, func(i Interval, time int64) int { return cmp.Compare(i.From, time) })
	if !exact {
		n--
	}
	return n, n >= 0 && time < slots[n].Until
}
