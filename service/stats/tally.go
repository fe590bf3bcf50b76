package stats

import (
	"maps"
	"math/bits"
	"slices"

	"github.com/orgstats/orgstats/service/stats/buckets"
)

// tally is an answer that is being put together.
type tally struct {
	question         Question
	window, previous span
	rows             map[uint32]*Row // 0 is the total, 1 to the limit are groups in order, and more is all others
	groups           int
}

func newTally(q Question) *tally {
	t := &tally{question: q, window: q.window(), previous: q.previous(), rows: map[uint32]*Row{}}
	t.row(0)
	return t
}

// slots returns the parts of the intervals of both windows in which records may be, in order, without those that are
// empty: the window before may reach back to years that no record has.
func (t *tally) slots() (slots []Interval) {
	for _, i := range slices.Concat(t.previous.intervals, t.window.intervals) {
		if i = i.possible(); i.From < i.Until {
			slots = append(slots, i)
		}
	}
	return slots
}

// row returns a row, with room for its series.
func (t *tally) row(n uint32) *Row {
	row := t.rows[n]
	if row == nil {
		row = &Row{}
		if t.question.Grouping.Interval != "" {
			row.Window.Series = make([]Figures, len(t.window.intervals))
			row.Previous.Series = make([]Figures, len(t.previous.intervals))
		}
		t.rows[n] = row
	}
	return row
}

// figures returns the figures of a row for the interval that starts at a time, if the question divides windows, or for
// the window that does.
func (t *tally) figures(row *Row, start int64, ofInterval bool) *Figures {
	period, of := &row.Window, t.window
	if start < t.window.From {
		period, of = &row.Previous, t.previous
	}
	if ofInterval && period.Series != nil {
		n, _ := slotOf(start, of.intervals)
		return &period.Series[n]
	}
	return &period.Figures
}

// answer returns the answer once all figures are there.
func (t *tally) answer() (Answer, error) {
	a := Answer{Groups: t.groups}
	for _, n := range slices.Sorted(maps.Keys(t.rows)) {
		row := t.rows[n]
		if err := row.addFeedback(); err != nil {
			return Answer{}, err
		}
		switch {
		case n == 0:
			a.Total = *row
		case int(n) > t.question.Grouping.Limit:
			a.Other = row
		default:
			a.Rows = append(a.Rows, *row)
		}
	}
	return a, nil
}

// addFeedback sets the sums of the two kinds of feedback.
func (r *Row) addFeedback() error {
	for _, period := range []*Period{&r.Window, &r.Previous} {
		if err := period.addFeedback(); err != nil {
			return err
		}
		for n := range period.Series {
			if err := period.Series[n].addFeedback(); err != nil {
				return err
			}
		}
	}
	return nil
}

// add adds the figures of other records, of which each belongs to one of the two only.
func (f *Figures) add(other Figures) error {
	from := other.fields()
	for n, to := range f.fields() {
		sum, carry := bits.Add64(*to, *from[n], 0)
		if carry != 0 {
			return buckets.ErrOverflow
		}
		*to = sum
	}
	return nil
}
