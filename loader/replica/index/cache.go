package index

// Cache keeps what was used lately, in bounded memory: when the young half is full it becomes the old half, and what is
// then used becomes young again.
type Cache[K comparable, V any] struct {
	young, old map[K]V
	half       int
}

// NewCache returns a cache of so many values at most.
func NewCache[K comparable, V any](size int) *Cache[K, V] {
	return &Cache[K, V]{young: map[K]V{}, half: size / 2}
}

// Get returns the value of a key, and whether there is one.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	if v, ok := c.young[key]; ok {
		return v, true
	}
	v, ok := c.old[key]
	if ok {
		c.Put(key, v)
	}
	return v, ok
}

// Put sets the value of a key.
func (c *Cache[K, V]) Put(key K, v V) {
	if len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[K]V, c.half)
	}
	c.young[key] = v
}

// Pending keeps the values of the last two batches, which may not be written yet.
type Pending[K comparable, V any] struct{ now, before map[K]V }

// NewPending returns one without values.
func NewPending[K comparable, V any]() Pending[K, V] { return Pending[K, V]{now: map[K]V{}} }

// Turn goes on to the next batch. All but the batch before must be written.
func (p *Pending[K, V]) Turn() { p.now, p.before = map[K]V{}, p.now }

// Put sets the value of a key, for the batch at hand.
func (p *Pending[K, V]) Put(key K, v V) { p.now[key] = v }

// Get returns the value of a key, and whether there is one.
func (p *Pending[K, V]) Get(key K) (V, bool) {
	if v, ok := p.now[key]; ok {
		return v, true
	}
	v, ok := p.before[key]
	return v, ok
}
