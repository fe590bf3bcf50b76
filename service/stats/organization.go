package stats

import (
	"slices"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// organization is what memory holds of an organization. What is in its series and rows was read at some moment and
// has not changed since, as far as the log of changes was read.
type organization struct {
	item
	id      string
	version uint64 // rises with every change that the log announces
	state   state
	read    time.Time // when the state was read; zero: it has to be read
	fetches map[*fetch]struct{}
	series  map[seriesKey]*series
	rows    map[rowsKey]*rowsItem
	bases   map[string]uint32 // numbers of knowledge bases, given here from 1 on, since the tables have none
	baseIDs []string          // ids by number - 1; only ever appended to
	agents  map[uint32]string // ids of agents by number; nil: not known. A number is given once, for ever
}

// seriesKey names the buckets of a subject that a filter lets through, by group. Files have no filter.
type seriesKey struct {
	subject *subject
	filter  Filter
	by      Dimension
}

// series are the buckets of one filter, and what the filter means for records that are kept one by one.
type series struct {
	item
	buckets map[piece]buckets.Grouped
	counted countedSlots

	userNo, agentNo uint32           // 0: not known
	members         *buckets.Numbers // users whose metadata match; nil: not known
	lookedUp        uint64           // the organization's version at which what is not known did not exist
}

// rowsKey names the records of a subject in one interval of its unit.
type rowsKey struct {
	subject *subject
	start   int64
}

type rowsItem struct {
	item
	rows *buckets.Rows
}

// state is what the loader has announced about an organization.
type state struct {
	counter uint64             // as the state was read
	stale   []int32            // hours whose buckets can't be used, sorted
	writing map[int32]struct{} // hours whose messages are being written
	large   map[int32]struct{} // hours of too many messages to be kept one by one

	writingMembers, writingFiles bool
}

// anyStale reports whether a stale hour lies in an interval that begins and ends with an hour.
func (s *state) anyStale(i Interval) bool {
	n, _ := slices.BinarySearch(s.stale, cells.HourNumber(i.From))
	return n < len(s.stale) && int64(s.stale[n])*cells.MsPerHour < i.Until
}

// isWriting reports whether anything is being written.
func (s *state) isWriting() bool { return s.writingMembers || s.writingFiles || len(s.writing) > 0 }

// apply applies a change that was announced.
func (s *state) apply(c change) {
	switch c.kind {
	case cells.ChangeOfMessages:
		s.stale = append(s.stale, c.hours...)
		slices.Sort(s.stale)
		s.stale = slices.Compact(s.stale)
		for _, hour := range c.hours {
			s.writing[hour] = struct{}{}
			delete(s.large, hour)
		}
	case cells.ChangeOfMembers:
		s.writingMembers = true
	case cells.ChangeOfFiles:
		s.writingFiles = true
	case cells.ChangeWritten:
		if c.step > s.counter {
			clear(s.writing)
			s.writingMembers, s.writingFiles = false, false
		}
	case cells.ChangeComputed:
		computed := map[int32]struct{}{}
		for _, hour := range c.hours {
			computed[hour] = struct{}{}
		}
		s.stale = slices.DeleteFunc(s.stale, func(hour int32) bool { _, ok := computed[hour]; return ok })
	}
}

// stateAge is how long what is stale or being written is believed to be so. The loader reports the end of it in the log
// before it does in its table, so that who begins to follow in between may miss it.
const stateAge = 10 * time.Second

// stateToRead reports whether the state has to be read.
func (o *organization) stateToRead() bool {
	return o.read.IsZero() || (len(o.state.stale) > 0 || o.state.isWriting()) && time.Since(o.read) > stateAge
}

// newState returns the state that the loader's table shows: the change counter, which is odd while something is being
// written, and then it may be anything, and the stale hours in order.
func newState(counter uint64, stale []int32) state {
	s := state{counter: counter, stale: stale, writing: map[int32]struct{}{}, large: map[int32]struct{}{}}
	if counter%2 == 1 {
		s.writingMembers, s.writingFiles = true, true
		for _, hour := range stale {
			s.writing[hour] = struct{}{}
		}
	}
	return s
}

// fetch is what happened to an organization while something of it was being read.
type fetch struct {
	changes []change
	hours   map[int32]struct{} // whose messages were announced to change, or whose buckets were computed
	members bool
	files   bool
	lost    bool // the organization was evicted, or its state has to be read again
}

func (f *fetch) note(c change) {
	f.changes = append(f.changes, c)
	switch c.kind {
	case cells.ChangeOfMessages, cells.ChangeComputed:
		for _, hour := range c.hours {
			f.hours[hour] = struct{}{}
		}
	case cells.ChangeOfMembers:
		f.members = true
	case cells.ChangeOfFiles:
		f.files = true
	case cells.ChangeOpened:
		f.lost = true
	}
}

// touches reports whether an hour of the interval was announced to change.
func (f *fetch) touches(i Interval) bool {
	for hour := range f.hours {
		if start := int64(hour) * cells.MsPerHour; start < i.Until && start+cells.MsPerHour > i.From {
			return true
		}
	}
	return false
}
