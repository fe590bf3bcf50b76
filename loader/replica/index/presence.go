// Package index holds what the writer of the replicas knows of ids: which may be stored, where their rows are, and
// which dense numbers they have.
package index

import (
	"context"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/orgstats/orgstats/clickhouse"
)

// Hash returns the hash of an id. It is ClickHouse's xxHash64.
func Hash(id string) uint64 { return xxhash.Sum64String(id) }

// Hashes returns the hashes of ids.
func Hashes(ids []string) []uint64 {
	hashes := make([]uint64, len(ids))
	for i, id := range ids {
		hashes[i] = Hash(id)
	}
	return hashes
}

// Presence rules out most ids that are not stored, without a query.
//
// A look-up by id reads a granule of a table for each id, and most ids that come are new. So once a writer has asked
// for so many that reading all ids once would have been cheaper, Presence does that and keeps a Bloom filter of their
// hashes. A large history and a small trickle of records never come to that.
type Presence struct {
	// Coming is about how many ids are still to come, which a new filter has room for; 0: that is not known.
	Coming int

	conn        clickhouse.Conn
	from        string // the table that the ids are stored in and which of its rows, in SQL
	hash        string // the hash of an id, in SQL
	granule     int    // index_granularity of the table
	minCapacity int    // of a filter

	asked    int // ids looked up without a filter
	filter   *filter
	expected struct{ now, before []uint64 } // of the last two batches: perhaps not stored yet
}

// maxCapacity is how many hashes the largest filter has room for: 135 MB.
const maxCapacity = 60_000_000

// OfConversations returns the presence of the ids of conversations.
func OfConversations(conn clickhouse.Conn) *Presence {
	return &Presence{conn: conn, from: "conversations", hash: "xxHash64(id)", granule: 1024, minCapacity: 4_000_000} // 9 MB
}

// Candidates returns the indexes of those hashes whose ids may be stored or expected.
func (p *Presence) Candidates(ctx context.Context, hashes []uint64) ([]int32, error) {
	if err := p.prepareFilter(ctx, len(hashes)); err != nil {
		return nil, err
	}
	return p.which(hashes, (*filter).has), nil
}

// Expect returns the candidates among the ids of a batch, by their hashes, and expects all of them from then on: each
// id is looked up once. The ids of the batch before the last must be stored by then.
func (p *Presence) Expect(ctx context.Context, hashes []uint64) ([]int32, error) {
	if err := p.prepareFilter(ctx, len(hashes)); err != nil {
		return nil, err
	}
	p.expected.now, p.expected.before = hashes, p.expected.now
	return p.which(hashes, (*filter).put), nil
}

func (p *Presence) which(hashes []uint64, had func(*filter, uint64) bool) (indexes []int32) {
	for i, hash := range hashes {
		if p.filter == nil || had(p.filter, hash) {
			indexes = append(indexes, int32(i))
		}
	}
	return indexes
}

// prepareFilter makes the filter when it has become worth it, and a larger one when it is full.
func (p *Presence) prepareFilter(ctx context.Context, ids int) error {
	if p.filter != nil && (!p.filter.full() || p.filter.capacity == maxCapacity) {
		return nil
	}
	stored, err := clickhouse.Count(ctx, p.conn, p.from)
	if err != nil {
		return err
	}
	p.asked += ids
	worth := p.filter != nil || p.asked*p.granule >= int(stored)
	if !worth || stored > maxCapacity {
		return nil
	}
	return p.fillFilter(ctx, min(max(p.minCapacity, p.capacityFor(int(stored))), maxCapacity))
}

// capacityFor returns the capacity of a filter of so many stored ids: it has room for what is coming, because filling
// another one takes seconds, or for as much again.
func (p *Presence) capacityFor(stored int) int {
	if p.Coming == 0 {
		return 2 * stored
	}
	return stored + max(p.Coming, stored/4)
}

// fillFilter makes the filter anew. Hashes are read in arrays, which is much faster than a row for each.
func (p *Presence) fillFilter(ctx context.Context, capacity int) error {
	p.filter = nil // there is no room for two
	filter := newFilter(capacity)
	query := "SELECT groupArray(" + p.hash + ") FROM " + p.from + " GROUP BY blockNumber()"
	err := clickhouse.LookUp(ctx, p.conn, "all ids", nil, query, func(scan clickhouse.Scan) error {
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
	p.filter = filter
	for _, hash := range slices.Concat(p.expected.before, p.expected.now) {
		p.filter.add(hash)
	}
	return nil
}
