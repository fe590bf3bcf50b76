package replica

// cache keeps what was used lately, in bounded memory: when the young half is full it becomes the old half, and what is
// then used becomes young again.
type cache[K comparable, V any] struct {
	young, old map[K]V
	half       int
}

func newCache[K comparable, V any](size int) *cache[K, V] {
	return &cache[K, V]{young: map[K]V{}, half: size / 2}
}

func (c *cache[K, V]) get(key K) (V, bool) {
	if v, ok := c.young[key]; ok {
		return v, true
	}
	v, ok := c.old[key]
	if ok {
		c.put(key, v)
	}
	return v, ok
}

func (c *cache[K, V]) put(key K, v V) {
	if len(c.young) >= c.half {
		c.old, c.young = c.young, make(map[K]V, c.half)
	}
	c.young[key] = v
}

// recent keeps what the batch at hand gives, and what the batch before gave, which may not be written yet.
type recent[K comparable, V any] struct{ now, before map[K]V }

func newRecent[K comparable, V any]() recent[K, V] { return recent[K, V]{now: map[K]V{}} }

// turn goes on to the next batch. All but the batch before must be written.
func (r *recent[K, V]) turn() { r.now, r.before = map[K]V{}, r.now }

func (r *recent[K, V]) put(key K, v V) { r.now[key] = v }

func (r *recent[K, V]) get(key K) (V, bool) {
	if v, ok := r.now[key]; ok {
		return v, true
	}
	v, ok := r.before[key]
	return v, ok
}
