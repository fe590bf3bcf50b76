package replica

import (
	"hash/maphash"
	"slices"

	"github.com/orgstats/orgstats/loader/record"
)

// winners holds the winning record of each key, in the order in which the keys appeared.
type winners[K comparable, R record.Record] struct {
	list    []R
	hashes  []uint64    // of the keys of the list
	places  places      // of the hashes, each the first time that it comes
	others  map[K]int32 // of keys that share their hash with one before
	hash    func(K) uint64
	key     func(R) K
	version func(R) version
	after   func(r, before R) R
}

func newWinners[K comparable, R record.Record](room int, hash func(K) uint64, key func(R) K, version func(R) version, after func(r, before R) R) winners[K, R] {
	return winners[K, R]{
		list: make([]R, 0, room), hashes: make([]uint64, 0, room), places: newPlaces(room), others: map[K]int32{},
		hash: hash, key: key, version: version, after: after,
	}
}

// seeded is a hash of keys that is another in every run.
func seeded[K comparable]() func(K) uint64 {
	seed := maphash.MakeSeed()
	return func(k K) uint64 { return maphash.Comparable(seed, k) }
}

func (w *winners[K, R]) has(key K) bool {
	_, met, _ := w.find(key, w.hash(key))
	return met
}

// find finds the record of a key, and tells whether its hash is taken, by the key or another.
func (w *winners[K, R]) find(key K, hash uint64) (i int32, met, taken bool) {
	if i, taken = w.places.find(hash, w.hashes); taken && w.key(w.list[i]) != key {
		i, met = w.others[key]
		return i, met, true
	}
	return i, taken, taken
}

func (w *winners[K, R]) put(r R) {
	key := w.key(r)
	hash := w.hash(key)
	i, met, taken := w.find(key, hash)
	switch {
	case !met:
		w.add(key, hash, taken, r)
	case w.version(r).before(w.version(w.list[i])):
	case record.FieldsKept(r) == record.KeptAll:
		w.list[i] = r // what is deleted in the end need not be known
	default:
		w.list[i] = w.after(r, w.list[i])
	}
}

// add adds the record of a key that was not met.
func (w *winners[K, R]) add(key K, hash uint64, taken bool, r R) {
	if taken {
		w.others[key] = int32(len(w.list))
	}
	w.list, w.hashes = append(w.list, r), append(w.hashes, hash)
	w.places.addLast(w.hashes)
}

// drop takes keys out.
func (w *winners[K, R]) drop(keys []K) {
	if len(keys) == 0 {
		return
	}
	gone := make(map[K]struct{}, len(keys))
	for _, key := range keys {
		gone[key] = struct{}{}
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
