package replica

import (
	"context"

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
	conn clickhouse.Conn
	kind string
}

// found are the positions of ids, by the hash of the id. Two ids may share a hash: a position is where to look, and the
// row there tells its id.
type found map[uint64][]position

func (f found) has(hash uint64, p position) bool {
	for _, other := range f[hash] {
		if other == p {
			return true
		}
	}
	return false
}

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
	params := clickhouse.Params{}
	params.String("kind", p.kind)
	const statement = `
SELECT id_hash, toString(org_id), toUnixTimestamp64Milli(at)
FROM record_positions
WHERE kind = {kind:String} AND id_hash IN (SELECT id_hash FROM keys)`
	err := query(clickhouse.WithParams(ctx, params), p.conn, "positions", set, statement, func(scan func(...any) error) error {
		var hash uint64
		var at position
		err := scan(&hash, &at.orgID, &at.at)
		result.add(hash, at)
		return err
	})
	return result, err
}

// write stores positions. It must come before the rows that stand there.
func (p *positions) write(ctx context.Context, hashes []uint64, at []position) error {
	if len(hashes) == 0 {
		return nil
	}
	return insertColumns(ctx, p.conn, "INSERT INTO record_positions (kind, id_hash, org_id, at)",
		repeat(len(hashes), p.kind), hashes,
		columnOf(at, func(p *position) string { return p.orgID }),
		columnOf(at, func(p *position) int64 { return p.at }))
}

func hashOf(id string) uint64 { return xxhash.Sum64String(id) }
