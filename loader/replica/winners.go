package replica

import (
	"slices"

	"github.com/orgstats/orgstats/loader/record"
)

// winners holds the winning record of each key, in the order in which the keys appeared.
type winners[K comparable, R record.Record] struct {
	list   []R
	hashes []uint64    // of the keys of the list, where hash is set
	index  map[K]int32 // of the list, by key
	hash   func(K) uint64
	key    func(R) K
	keyOf  func(string) K // of what record.Record.Key returns
	after  func(r, before R) R
}

func newWinners[K comparable, R record.Record](
	room int, hash func(K) uint64, key func(R) K, keyOf func(string) K, after func(r, before R) R,
) *winners[K, R] {
	return &winners[K, R]{
		list: make([]R, 0, room), hashes: make([]uint64, 0, room), index: make(map[K]int32, room),
		hash: hash, key: key, keyOf: keyOf, after: after,
	}
}

func (w *winners[K, R]) has(key string) bool {
	_, found := w.index[w.keyOf(key)]
	return found
}

func (w *winners[K, R]) len() int { return len(w.list) }

// all yields the records.
func (w *winners[K, R]) all(yield func(record.Record) bool) {
	for _, r := range w.list {
		if !yield(r) {
			return
		}
	}
}

func (w *winners[K, R]) put(rec record.Record) {
	r := rec.(R)
	key := w.key(r)
	i, found := w.index[key]
	if !found {
		w.add(key, r)
		return
	}
	version := record.VersionOf(r)
	switch {
	case version.Before(record.VersionOf(w.list[i])):
	case version.Tombstone:
		w.list[i] = r // what is deleted in the end need not be known
	default:
		w.list[i] = w.after(r, w.list[i])
	}
}

// add adds the first record of a key.
func (w *winners[K, R]) add(key K, r R) {
	w.index[key] = int32(len(w.list))
	w.list = append(w.list, r)
	if w.hash != nil {
		w.hashes = append(w.hashes, w.hash(key))
	}
}

// drop removes the records whose keys are gone.
func (w *winners[K, R]) drop(gone func(key string) bool) {
	kept := slices.DeleteFunc(w.list, func(r R) bool { return gone(r.Key()) })
	if len(kept) == len(w.list) {
		return
	}
	w.list, w.hashes = w.list[:0], w.hashes[:0]
	clear(w.index)
	for _, r := range kept {
		w.add(w.key(r), r)
	}
}
