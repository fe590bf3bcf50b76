package replica

import (
	"context"
	"fmt"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
)

// known tells of most ids that are new that they are, without asking.
//
// A look-up by id reads a granule of a table for each id, and most ids that come are new. So once a writer has asked
// for so many that reading all ids once would have been cheaper, it does that and keeps a filter of their hashes. A
// large history and a small trickle of records never come to that.
type known struct {
	conn     clickhouse.Conn
	what     string // for errors
	from     string // the table and what is meant of it, in SQL
	hash     string // hash of an id, in SQL
	granule  int    // index_granularity of the table
	asked    int    // ids looked up without a filter
	least    int    // ids that its smallest filter takes
	coming   int    // about how many ids are still to come; 0: nobody knows
	filter   *filter
	expected recentHashes // perhaps not stored yet
}

// recentHashes are those of the batch at hand, and of the one before.
type recentHashes struct{ now, before []uint64 }

// filterMax is how many hashes the largest filter takes: 135 MB.
const filterMax = 60_000_000

// candidates are the places in a list of hashes of those that may be stored or expected.
func (k *known) candidates(ctx context.Context, hashes []uint64) ([]int32, error) {
	if err := k.prepareFilter(ctx, len(hashes)); err != nil {
		return nil, err
	}
	return k.which(hashes, (*filter).has), nil
}

// take gives the candidates among the ids of a batch, by their hashes, and from then on expects all of them: each is
// looked for once. What was taken before the batch before must be stored.
func (k *known) take(ctx context.Context, hashes []uint64) ([]int32, error) {
	if err := k.prepareFilter(ctx, len(hashes)); err != nil {
		return nil, err
	}
	k.expected.now, k.expected.before = hashes, k.expected.now
	return k.which(hashes, (*filter).put), nil
}

func (k *known) which(hashes []uint64, had func(*filter, uint64) bool) (places []int32) {
	for i, hash := range hashes {
		if k.filter == nil || had(k.filter, hash) {
			places = append(places, int32(i))
		}
	}
	return places
}

// prepareFilter makes the filter when it has become worth it, and a larger one when it is full.
func (k *known) prepareFilter(ctx context.Context, ids int) error {
	if k.filter != nil && (!k.filter.full() || k.filter.capacity == filterMax) {
		return nil
	}
	var stored uint64
	if err := k.conn.QueryRow(ctx, "SELECT count() FROM "+k.from).Scan(&stored); err != nil {
		return fmt.Errorf("count %s: %w", k.what, err)
	}
	k.asked += ids
	worth := k.filter != nil || k.asked*k.granule >= int(stored)
	if !worth || stored > filterMax {
		return nil
	}
	return k.fillFilter(ctx, min(max(k.least, k.capacityFor(int(stored))), filterMax))
}

// capacityFor is how much the filter of so many stored ids should take: what is coming, because filling another one
// takes seconds, or as much again.
func (k *known) capacityFor(stored int) int {
	if k.coming == 0 {
		return 2 * stored
	}
	return stored + max(k.coming, stored/4)
}

// fillFilter makes the filter anew. Hashes come in arrays, which are read much faster than a row for each.
func (k *known) fillFilter(ctx context.Context, capacity int) error {
	k.filter = nil // there is no room for two
	filter := newFilter(capacity)
	statement := "SELECT groupArray(" + k.hash + ") FROM " + k.from + " GROUP BY blockNumber()"
	err := query(ctx, k.conn, "all "+k.what, nil, statement, func(scan func(...any) error) error {
		var hashes []uint64
		err := scan(&hashes)
		for _, hash := range hashes {
			filter.add(hash)
		}
		return err
	})
	if err != nil {
		return err
	}
	k.filter = filter
	for _, hash := range slices.Concat(k.expected.before, k.expected.now) {
		k.filter.add(hash)
	}
	return nil
}
