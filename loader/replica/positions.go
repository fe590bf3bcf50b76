package replica

import (
	"context"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"

	"github.com/orgstats/orgstats/clickhouse"
)

// Kinds of record_positions.
const (
	kindMessage = "message"
	kindKBFile  = "kb_file"
)

// positions is the index from the ids of one kind to where their rows stand or stood.
//
// A look-up by hash reads a granule of the index for each id, and most ids that come are new. So once a writer has asked for so many that
// reading the whole index once would have been cheaper, it does that and keeps a filter, which answers for new ids without asking. A
// large history and a small trickle of records never come to that.
type positions struct {
	conn  clickhouse.Conn
	kind  string
	asked int     // ids looked up without a filter
	known *filter // nil: not made yet

	// What was expected for the batch at hand, and for the one before: perhaps not stored yet.
	expected, expectedBefore [][]entry
}

const (
	positionsGranule = 512        // index_granularity of record_positions
	filterMin        = 4_000_000  // hashes that the smallest filter takes: 9 MB
	filterMax        = 60_000_000 // hashes that the largest filter takes: 135 MB
)

// entry says that a record, by the hash of its id, is going to stand where a row stands, which is one of those that are written with it.
type entry struct {
	hash uint64
	row  int32
}

// found are the positions of ids, by the hash of the id. Two ids may share a hash: a position is where to look, and the
// row there tells its id.
type found map[uint64][]position

func (f found) has(hash uint64, p position) bool { return slices.Contains(f[hash], p) }

func (f found) add(hash uint64, p position) {
	if !f.has(hash, p) {
		f[hash] = append(f[hash], p)
	}
}

// candidates are the places in a list of hashes of those that may be stored or expected.
func (p *positions) candidates(ctx context.Context, hashes []uint64) ([]int32, error) {
	if err := p.prepareFilter(ctx, len(hashes)); err != nil {
		return nil, err
	}
	var places []int32
	for i, hash := range hashes {
		if p.known == nil || p.known.has(hash) {
			places = append(places, int32(i))
		}
	}
	return places, nil
}

// find looks up where ids stand or stood. Ids never seen are absent from the result.
func (p *positions) find(ctx context.Context, hashes []uint64) (found, error) {
	result := found{}
	if len(hashes) == 0 {
		return result, nil
	}
	set := &keys{}
	set.column("id_hash", "UInt64", hashes)
	const statement = `
SELECT id_hash, toString(org_id), toUnixTimestamp64Milli(at)
FROM record_positions
WHERE kind = {kind:String} AND id_hash IN (SELECT id_hash FROM keys)`
	err := query(p.ofKind(ctx), p.conn, "positions", set, statement, func(scan func(...any) error) error {
		var hash uint64
		var at position
		err := scan(&hash, &at.orgID, &at.at)
		result.add(hash, at)
		return err
	})
	return result, err
}

func (p *positions) ofKind(ctx context.Context) context.Context {
	params := clickhouse.Params{}
	params.String("kind", p.kind)
	return clickhouse.WithParams(ctx, params)
}

// prepareFilter makes the filter when it has become worth it, and a larger one when it is full.
func (p *positions) prepareFilter(ctx context.Context, ids int) error {
	if p.known != nil && (!p.known.full() || p.known.capacity == filterMax) {
		return nil
	}
	var stored uint64
	row := p.conn.QueryRow(p.ofKind(ctx), "SELECT count() FROM record_positions WHERE kind = {kind:String}")
	if err := row.Scan(&stored); err != nil {
		return fmt.Errorf("count positions: %w", err)
	}
	p.asked += ids
	worth := p.known != nil || p.asked*positionsGranule >= int(stored)
	if !worth || stored > filterMax {
		return nil
	}
	return p.fillFilter(ctx, min(max(filterMin, 2*int(stored)), filterMax))
}

func (p *positions) fillFilter(ctx context.Context, capacity int) error {
	known := newFilter(capacity)
	err := query(p.ofKind(ctx), p.conn, "all positions", nil, "SELECT id_hash FROM record_positions WHERE kind = {kind:String}",
		func(scan func(...any) error) error {
			var hash uint64
			err := scan(&hash)
			known.add(hash)
			return err
		})
	if err != nil {
		return err
	}
	p.known = known
	for _, entries := range slices.Concat(p.expectedBefore, p.expected) {
		p.addKnown(entries)
	}
	return nil
}

// expect takes in positions that are going to be written.
func (p *positions) expect(entries []entry) {
	p.expected = append(p.expected, entries)
	if p.known != nil {
		p.addKnown(entries)
	}
}

func (p *positions) addKnown(entries []entry) {
	for i := range entries {
		p.known.add(entries[i].hash)
	}
}

// turn goes on to the next batch. What was expected for all but the batch before must be stored.
func (p *positions) turn() { p.expected, p.expectedBefore = nil, p.expected }

// write stores positions that are expected, given where the rows stand. It must come before the rows.
func (p *positions) write(ctx context.Context, entries []entry, at func(row int32) position) error {
	if len(entries) == 0 {
		return nil
	}
	return insert(ctx, p.conn, "INSERT INTO record_positions (kind, id_hash, org_id, at)", entries,
		same[entry](p.kind),
		each(func(e *entry) uint64 { return e.hash }),
		each(func(e *entry) string { return at(e.row).orgID }),
		each(func(e *entry) int64 { return at(e.row).at }))
}

func hashOf(id string) uint64 { return xxhash.Sum64String(id) }
