package replica

import (
	"hash/maphash"
	"slices"

	"github.com/orgstats/orgstats/loader/record"
)

// winners holds the winning record of each key, in the order in which the keys appeared.
type winners[K comparable, R record.Record] struct {
	list   []R
	hashes []uint64    // of the keys of the list
	places places      // of the hashes, each the first time that it comes
	others map[K]int32 // of keys that share their hash with one before
	hash   func(K) uint64
	key    func(R) K
	keyOf  func(string) K // of what record.Record.Key returns
	after  func(r, before R) R
}

func newWinners[K comparable, R record.Record](
	room int, hash func(K) uint64, key func(R) K, keyOf func(string) K, after func(r, before R) R,
) winners[K, R] {
	return winners[K, R]{
		list: make([]R, 0, room), hashes: make([]uint64, 0, room), places: newPlaces(room), others: map[K]int32{},
		hash: hash, key: key, keyOf: keyOf, after: after,
	}
}

// seeded is a hash of keys that is another in every run.
func seeded[K comparable]() func(K) uint64 {
	seed := maphash.MakeSeed()
	return func(k K) uint64 { return maphash.Comparable(seed, k) }
}

func (w *winners[K, R]) has(key string) bool {
	k := w.keyOf(key)
	_, found, _ := w.find(k, w.hash(k))
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

// find returns where the record of a key is, whether there is one, and whether its hash is taken, by the key or another.
func (w *winners[K, R]) find(key K, hash uint64) (i int32, found, taken bool) {
	if i, taken = w.places.find(hash, w.hashes); taken && w.key(w.list[i]) != key {
		i, found = w.others[key]
		return i, found, true
	}
	return i, taken, taken
}

func (w *winners[K, R]) put(rec record.Record) {
	r := rec.(R)
	key := w.key(r)
	hash := w.hash(key)
	i, found, taken := w.find(key, hash)
	if !found {
		w.add(key, hash, taken, r)
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
func (w *winners[K, R]) add(key K, hash uint64, taken bool, r R) {
	if taken {
		w.others[key] = int32(len(w.list))
	}
	w.list, w.hashes = append(w.list, r), append(w.hashes, hash)
	w.places.addLast(w.hashes)
}

// drop removes the records of keys.
func (w *winners[K, R]) drop(keys []string) {
	if len(keys) == 0 {
		return
	}
	gone := make(map[K]struct{}, len(keys))
	for _, key := range keys {
		gone[w.keyOf(key)] = struct{}{}
	}
	kept := slices.DeleteFunc(w.list, func(r R) bool {
		_, goes := gone[w.key(r)]
		return goes
	})
	w.list, w.hashes = w.list[:0], w.hashes[:0]
	w.places = newPlaces(len(kept))
	clear(w.others)
	for _, r := range kept {
		key := w.key(r)
		hash := w.hash(key)
		_, taken := w.places.find(hash, w.hashes)
		w.add(key, hash, taken, r)
	}
}
