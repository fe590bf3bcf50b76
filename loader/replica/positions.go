package replica

import (
	"context"
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
type positions struct {
	known
	kind string
}

const (
	positionsGranule = 512       // index_granularity of record_positions
	positionsLeast   = 1_000_000 // in a filter: 2 MB
)

func newPositions(conn clickhouse.Conn, kind string) *positions {
	return &positions{known{
		conn: conn, what: "positions", from: "record_positions WHERE kind = '" + kind + "'", hash: "id_hash",
		granule: positionsGranule, least: positionsLeast,
	}, kind}
}

// entry says that a record, by the hash of its id, is going to stand where a row stands, which is one of those that are
// written with it.
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
	params := clickhouse.Params{}
	params.String("kind", p.kind)
	err := query(clickhouse.WithParams(ctx, params), p.conn, "positions", set, statement, func(scan func(...any) error) error {
		var hash uint64
		var at position
		err := scan(&hash, &at.orgID, &at.at)
		result.add(hash, at)
		return err
	})
	return result, err
}

// write stores positions, of ids that were taken or found, given where the rows stand. It must come before the rows.
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
