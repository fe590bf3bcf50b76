package replica

import (
	"context"

	"github.com/orgstats/orgstats/loader/record"
)

// Floors are the LSNs from which on the replicas have missed no change, by kind of record.
type Floors [record.NumKinds]uint64

// Missing are the records of a batch of which the replicas do not have enough to fill in what their sources did not
// send: the keys of their rows by kind of record.
type Missing map[record.Kind][]string

// Incomplete returns what is missing. All of it must be given to Complete before the batch can be applied.
func (w *Writer) Incomplete(ctx context.Context, b *Batch, floors Floors) (Missing, error) {
	ctx, cancel := w.Statement(ctx)
	defer cancel()
	missing := Missing{}
	for i, t := range w.tables {
		var partial []record.Record
		for r := range b.sets[i].all {
			if record.VersionOf(r).Unsent != 0 {
				partial = append(partial, r)
			}
		}
		if len(partial) == 0 {
			continue
		}
		keys, err := t.lacking(ctx, partial, floors[i])
		if err != nil {
			return nil, err
		}
		if len(keys) > 0 {
			missing[record.Kind(i)] = keys
		}
	}
	return missing, nil
}

// Complete replaces the records that were missing something by whole ones, and removes the others of the missing: their
// rows are gone from the source, and their deletion comes later in its WAL.
func (b *Batch) Complete(missing Missing, found []record.Record) {
	for kind, keys := range missing {
		gone := map[string]struct{}{}
		for _, key := range keys {
			gone[key] = struct{}{}
		}
		b.sets[kind].drop(func(key string) bool {
			_, is := gone[key]
			return is
		})
	}
	for _, r := range found {
		b.Add(r)
	}
}

// Drop removes the records whose kind and key gone reports.
func (b *Batch) Drop(gone func(kind record.Kind, key string) bool) {
	for kind, set := range b.sets {
		set.drop(func(key string) bool { return gone(record.Kind(kind), key) })
	}
}
