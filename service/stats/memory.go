package stats

import (
	"sync"
	"time"

	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// memory holds buckets and records of organizations, within a bound of bytes.
type memory struct {
	mu            sync.Mutex
	lru           lru
	organizations map[string]*organization
	held          int // buckets and intervals of records
}

func newMemory(limit int64) *memory {
	return &memory{lru: lru{limit: limit}, organizations: map[string]*organization{}}
}

// About how many bytes things take beside what they hold.
const (
	organizationBytes = 1024
	seriesBytes       = 512
	pieceBytes        = 64
)

// organization returns what is held of an organization, which is nothing at first. The lock must be held.
func (m *memory) organization(id string) *organization {
	o := m.organizations[id]
	if o == nil {
		o = &organization{
			id: id, version: 1, state: newState(0, nil), fetches: map[*fetch]struct{}{},
			series: map[seriesKey]*series{}, rows: map[rowsKey]*rowsItem{}, bases: map[string]uint32{},
		}
		o.item = item{bytes: organizationBytes + int64(len(id)), evict: func() { m.forget(o) }}
		m.organizations[id] = o
		m.lru.use(&o.item)
	}
	return o
}

// forget removes an organization with everything of it. The lock must be held.
func (m *memory) forget(o *organization) {
	delete(m.organizations, o.id)
	for f := range o.fetches {
		f.lost = true
	}
	for _, s := range o.series {
		m.lru.remove(&s.item)
	}
	for _, r := range o.rows {
		m.lru.remove(&r.item)
	}
}

// forgetAll removes everything.
func (m *memory) forgetAll() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.organizations {
		m.lru.remove(&o.item)
	}
}

// seriesOf returns the buckets of a filter, which are none at first. The lock must be held.
func (m *memory) seriesOf(o *organization, key seriesKey) *series {
	s := o.series[key]
	if s == nil {
		s = &series{buckets: map[piece]buckets.Grouped{}, counted: countedSlots{}}
		s.item = item{bytes: seriesBytes + int64(key.filter.textSize()), evict: func() {
			m.held -= len(s.buckets)
			delete(o.series, key)
		}}
		o.series[key] = s
	}
	m.lru.use(&s.item)
	return s
}

// keepBucket adds a bucket to a series. The lock must be held.
func (m *memory) keepBucket(s *series, p piece, b buckets.Grouped) {
	m.dropBucket(s, p)
	s.buckets[p] = b
	m.held++
	m.lru.grow(&s.item, pieceBytes+b.Bytes())
}

func (m *memory) dropBucket(s *series, p piece) {
	if b, ok := s.buckets[p]; ok {
		delete(s.buckets, p)
		m.held--
		m.lru.grow(&s.item, -pieceBytes-b.Bytes())
	}
}

// keepMembers sets the users whose metadata match. The lock must be held.
func (m *memory) keepMembers(s *series, members *buckets.Numbers) {
	if s.members != nil {
		m.lru.grow(&s.item, -s.members.Bytes())
	}
	s.members = members
	if members != nil {
		m.lru.grow(&s.item, members.Bytes())
	}
}

// keepAgents sets the ids of agents. The lock must be held.
func (m *memory) keepAgents(o *organization, agents map[uint32]string) {
	m.lru.grow(&o.item, sizeOf(agents)-sizeOf(o.agents))
	o.agents = agents
}

// sizeOf returns about how many bytes of memory ids take.
func sizeOf(ids map[uint32]string) (bytes int64) {
	for _, id := range ids {
		bytes += pieceBytes + int64(len(id))
	}
	return bytes
}

// forgetAgents makes the ids of agents be read again: there is a number that they do not have.
func (m *memory) forgetAgents(o *organization) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.keepAgents(o, nil)
}

// keepRows adds the records of an interval. The lock must be held.
func (m *memory) keepRows(o *organization, key rowsKey, rows *buckets.Rows) {
	m.dropRows(o, key)
	r := &rowsItem{rows: rows}
	r.item = item{bytes: pieceBytes + rows.Bytes(), evict: func() { m.held--; delete(o.rows, key) }}
	o.rows[key] = r
	m.held++
	m.lru.use(&r.item)
}

func (m *memory) dropRows(o *organization, key rowsKey) {
	if r := o.rows[key]; r != nil {
		m.lru.remove(&r.item)
	}
}

// apply removes what changes make wrong, and notes them for what is being read.
func (m *memory) apply(changes []change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range changes {
		if c.kind == cells.ChangeOpened {
			for _, o := range m.organizations {
				m.change(o, c)
			}
		} else if o := m.organizations[c.orgID]; o != nil {
			m.change(o, c)
		}
	}
}

func (m *memory) change(o *organization, c change) {
	o.version++
	for f := range o.fetches {
		f.note(c)
	}
	o.state.apply(c)
	switch c.kind {
	case cells.ChangeOpened:
		o.read = time.Time{}
	case cells.ChangeOfMessages:
		m.dropHours(o, c.hours)
	case cells.ChangeOfMembers:
		m.dropSeries(o, func(key seriesKey) bool { return key.filter.byMetadata() })
	case cells.ChangeOfFiles:
		m.dropSubject(o, fileRecords)
	}
}

// manyHours is how many hours change at once when it is not worth while to look for what they leave.
const manyHours = 200

// dropHours removes what holds messages of the hours.
func (m *memory) dropHours(o *organization, hours []int32) {
	if len(hours) > manyHours {
		m.dropSubject(o, messageRecords)
		return
	}
	for _, hour := range hours {
		start := int64(hour) * cells.MsPerHour
		m.dropRows(o, rowsKey{messageRecords, start})
		for key, s := range o.series {
			if key.subject != messageRecords {
				continue
			}
			for _, grain := range messageRecords.grains {
				m.dropBucket(s, piece{grain, grain.Start(start)})
			}
			m.lru.grow(&s.item, -countedBytes*int64(s.counted.drop(piece{cells.Hour, start}.interval())))
		}
	}
}

func (m *memory) dropSubject(o *organization, of *subject) {
	m.dropSeries(o, func(key seriesKey) bool { return key.subject == of })
	for key := range o.rows {
		if key.subject == of {
			m.dropRows(o, key)
		}
	}
}

func (m *memory) dropSeries(o *organization, which func(seriesKey) bool) {
	for key, s := range o.series {
		if which(key) {
			m.lru.remove(&s.item)
		}
	}
}

// MemoryUse says what a store holds in memory.
type MemoryUse struct {
	Bytes, Limit  int64
	Buckets       int // and intervals of records that are kept one by one
	Organizations int
	Evicted       uint64 // series of buckets, intervals of records and organizations so far
}

func (m *memory) use() MemoryUse {
	m.mu.Lock()
	defer m.mu.Unlock()
	return MemoryUse{m.lru.bytes, m.lru.limit, m.held, len(m.organizations), m.lru.evicted}
}
