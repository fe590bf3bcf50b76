package stats

import (
	"cmp"
	"slices"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

// found is what was fetched of a subject.
type found struct {
	buckets map[piece]*buckets.Bucket
	rows    map[int64]*buckets.Rows   // by the start of their unit
	live    map[int64]*buckets.Bucket // by the start of their slot

	building map[int64]*buckets.Builder
}

// answer returns the answer of a plan, given what was fetched for it.
func (p *plan) answer(f *fetched) (Answer, error) {
	messages := p.messages.unions(f.messages, p.choice, p.slots)
	files := p.files.unions(f.files, choice{}, p.slots)
	t := newTally(p.question)
	for n, slot := range p.slots {
		figures := t.figures(t.row(0), slot.From, true)
		if err := p.messages.subject.addTo(figures, messages[n]); err != nil {
			return Answer{}, err
		}
		if err := p.files.subject.addTo(figures, files[n]); err != nil {
			return Answer{}, err
		}
	}
	return t.answer()
}

// unions returns what a part has in each slot.
func (p *part) unions(f found, c choice, slots []Interval) []*buckets.Union {
	all := make([]*buckets.Union, len(slots))
	for n := range all {
		all[n] = p.subject.newUnion()
	}
	at := func(time int64) *buckets.Union { return all[slotOf(time, slots)] }
	for _, h := range p.held {
		at(h.start).Add(h.bucket)
	}
	for _, piece := range p.lackingPieces {
		at(piece.start).Add(f.buckets[piece])
	}
	for start, bucket := range f.live {
		at(start).Add(bucket)
	}
	if c.nothing {
		return all
	}
	for _, h := range p.rows {
		at(h.From).AddRows(h.rows, h.From, h.Until, c.filters)
	}
	for _, i := range p.lackingRows {
		at(i.From).AddRows(f.rows[p.subject.unit.Start(i.From)], i.From, i.Until, c.filters)
	}
	return all
}

// slotOf returns the number of the slot that holds a time.
func slotOf(time int64, slots []Interval) int {
	n, exact := slices.BinarySearchFunc(slots, time, func(i Interval, time int64) int { return cmp.Compare(i.From, time) })
	if exact {
		return n
	}
	return n - 1
}
