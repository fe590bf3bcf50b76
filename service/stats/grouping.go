package stats

import (
	"slices"

	"github.com/orgstats/orgstats/service/calendar"
)

// Grouping says by what figures are told apart. The zero value does not: the window has one row of figures.
type Grouping struct {
	// Interval divides the window by the calendar of a zone; "" does not.
	Interval calendar.Unit
	Zone     calendar.Zone

	// By is the property that figures are grouped by; "" is none, and then the rest is not used.
	By        Dimension
	Path      string // of metadata
	OrderBy   string // the figure that rows are sorted by, by its JSON name
	Ascending bool
	Limit     int // of rows; what the others have is one row, too
}

// Dimension is a property that figures are grouped by.
type Dimension string

// The dimensions, by their names in requests.
const (
	ByAgent         Dimension = "agent"         // of the conversation
	ByUser          Dimension = "user"          // of the conversation
	ByRole          Dimension = "role"          // of the message
	ByKnowledgeBase Dimension = "knowledgeBase" // of the file
	ByMetadata      Dimension = "metadata"      // a value that the user's metadata have at a path
)

// Dimensions are all dimensions.
var Dimensions = []Dimension{ByAgent, ByUser, ByRole, ByKnowledgeBase, ByMetadata}

// subject returns the records that the dimension is a property of; those of the other subject belong to no group.
func (d Dimension) subject() *subject {
	if d == ByKnowledgeBase {
		return fileRecords
	}
	return messageRecords
}

// isPlanned reports whether a plan may answer, and not only the plain query: the tables of figures know no roles.
func (g Grouping) isPlanned() bool { return g.By != ByRole }

// of returns the dimension that the records of a subject are grouped by, "" if they are not.
func (g Grouping) of(s *subject) Dimension {
	if g.By == "" || g.By.subject() != s {
		return ""
	}
	return g.By
}

// IsOf reports whether a figure, by its JSON name, is of the records that the dimension is a property of.
func (d Dimension) IsOf(figure string) bool {
	return slices.Contains(d.subject().figures(), figure)
}

// span is one of the windows that a question is about, with its intervals, which do not overlap and are in order. A
// window that is not divided is one interval.
type span struct {
	Interval
	intervals []Interval
}

// window returns the question's own window.
func (q Question) window() span { return q.span(Interval{q.From, q.Until}) }

// previous returns the window that is compared; it is empty if none is.
func (q Question) previous() span { return q.span(q.Previous) }

// span divides a window.
func (q Question) span(i Interval) span {
	s := span{Interval: i.possible()}
	if q.Grouping.Interval == "" {
		s.intervals = []Interval{s.Interval}
		return s
	}
	bounds := q.Grouping.Bounds(i)
	for n := range max(0, len(bounds)-1) {
		s.intervals = append(s.intervals, Interval{max(bounds[n], i.From), min(bounds[n+1], i.Until)})
	}
	return s
}

// MaxIntervals is how many intervals the window of a question may be divided into.
const MaxIntervals = 2000

// Bounds returns the starts of the intervals of a window, and the end of the last one.
func (g Grouping) Bounds(window Interval) []int64 {
	return g.Zone.Bounds(g.Interval, window.From, window.Until, 2*MaxIntervals) // the window before may have some more
}

// windows returns both windows, in order, without one that is empty.
func (q Question) windows() []Interval {
	both := []Interval{q.Previous.possible(), Interval{q.From, q.Until}.possible()}
	return slices.DeleteFunc(both, func(i Interval) bool { return i.From >= i.Until })
}
