package stats

import "container/list"

// item is something that memory keeps until it is evicted. The zero value is not kept.
type item struct {
	bytes   int64
	element *list.Element
	pins    int    // while there are any, it is not evicted
	evict   func() // removes it from where it is found
}

// lru bounds what is kept by its bytes: what was used longest ago is evicted first.
type lru struct {
	limit, bytes int64
	items        list.List // of *item, the last used first
	evicted      uint64
}

// use marks an item as used now, and keeps it if it was not.
func (l *lru) use(i *item) {
	if i.element != nil {
		l.items.MoveToFront(i.element)
		return
	}
	i.element = l.items.PushFront(i)
	l.bytes += i.bytes
}

// grow changes the size of an item.
func (l *lru) grow(i *item, bytes int64) {
	i.bytes += bytes
	if i.element != nil {
		l.bytes += bytes
	}
}

// remove removes an item, which is no eviction.
func (l *lru) remove(i *item) {
	if i.element == nil {
		return
	}
	l.items.Remove(i.element)
	i.element = nil
	l.bytes -= i.bytes
	i.evict()
}

// shrink evicts items until the rest fits, or is pinned.
func (l *lru) shrink() {
	for l.bytes > l.limit {
		victim := l.oldest()
		if victim == nil {
			return
		}
		l.evicted++
		l.remove(victim)
	}
}

// oldest returns the item that was used longest ago and is not pinned, nil if there is none.
func (l *lru) oldest() *item {
	for e := l.items.Back(); e != nil; e = e.Prev() {
		if i := e.Value.(*item); i.pins == 0 {
			return i
		}
	}
	return nil
}
