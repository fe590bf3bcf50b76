package index

// Cache keeps the values of the last two batches, which may not be written yet, and of others those that were used
// lately, in bounded memory: when the young half is full it becomes the old half, and what is then used becomes young
// again.
type Cache[K comparable, V any] struct {
	now, before map[K]V // of the last two batches
	young, old  map[K]V
	half        int
}

// NewCache returns a cache of so many values at most, beside those of the last two batches.
func NewCache[K comparable, V any](size int) *Cache[K, V] {
	return &Cache[K, V]{now: map[K]V{}, young: map[K]V{}, half: size / 2}
}

// Get returns the value of a key, and whether there is one.
func (c *Cache[K, V]) Get(key K) (V, bool) {
	for _, values := range []map[K]V{c.now, c.before, c.young} {
		if v, ok := values[key]; ok {
			return v, true
		}
	}
	v, ok := c.old[key]
	if ok {
		c.Put(key, v)
	}
	return v, ok
}

// Put sets the value of a key that is stored.
func (c *Cache[K, V]) Put(key K, v V) {
	if len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[K]V, c.half)
	}
	c.young[key] = v
}

// Expect sets the value of a key that the batch at hand is going to store.
func (c *Cache[K, V]) Expect(key K, v V) {
	c.now[key] = v
	c.Put(key, v)
}

// Turn goes on to the next batch. All but the batch before must be written.
func (c *Cache[K, V]) Turn() { c.now, c.before = map[K]V{}, c.now }
