package index

import (
	"context"
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
)

// Locations is the index from the ids of one kind of record to where their rows are or once were.
type Locations struct {
	Presence
	kind string
}

// Location is the part of a row's sort key before the id.
type Location struct {
	OrgID string
	At    int64 // milliseconds since 1970 UTC
}

// NewLocations returns the index of a kind of record in record_positions.
func NewLocations(conn clickhouse.Conn, kind string) *Locations {
	return &Locations{Presence{
		conn: conn, from: "record_positions WHERE kind = '" + kind + "'", hash: "id_hash", granule: 512, minCapacity: 1_000_000, // 2 MB
	}, kind}
}

// Found are the locations of ids, by the hash of the id. Two ids may share a hash: a location is where to look, and the
// row there has the id.
type Found map[uint64][]Location

// Has reports whether an id's rows are or were at a location.
func (f Found) Has(hash uint64, at Location) bool { return slices.Contains(f[hash], at) }

// Keys returns the sort keys (org_id, at, id) where rows of ids may be, and their number.
func (f Found) Keys(ids []string, hashes []uint64) (keys *clickhouse.Keys, n int) {
	var orgs, wanted []string
	var times []int64
	for i, id := range ids {
		for _, at := range f[hashes[i]] {
			orgs, times, wanted = append(orgs, at.OrgID), append(times, at.At), append(wanted, id)
		}
	}
	return clickhouse.StringKeys("org_id", orgs).Add("at", "DateTime64(3, 'UTC')", times).Add("id", "String", wanted), len(wanted)
}

// Find looks up where the rows of ids are or were. Ids never seen are absent from the result.
func (l *Locations) Find(ctx context.Context, hashes []uint64) (Found, error) {
	found := Found{}
	if len(hashes) == 0 {
		return found, nil
	}
	const query = `
SELECT id_hash, toString(org_id), toUnixTimestamp64Milli(at)
FROM record_positions
WHERE kind = {kind:String} AND id_hash IN (SELECT id_hash FROM keys)`
	params := clickhouse.Params{}
	params.String("kind", l.kind)
	keys := new(clickhouse.Keys).Add("id_hash", "UInt64", hashes)
	err := clickhouse.LookUp(clickhouse.WithParams(ctx, params), l.conn, "locations", keys, query, func(scan clickhouse.Scan) error {
		var hash uint64
		var at Location
		err := scan(&hash, &at.OrgID, &at.At)
		if !found.Has(hash, at) {
			found[hash] = append(found[hash], at)
		}
		return err
	})
	return found, err
}

// Entry is a new location, of the id with a hash: that of a row among those that are written with it.
type Entry struct {
	Hash uint64
	Row  int32
}

// Write stores the locations of ids that were expected or found; at returns that of a row. It must come before the
// rows.
func (l *Locations) Write(ctx context.Context, entries []Entry, at func(row int32) Location) error {
	if len(entries) == 0 {
		return nil
	}
	return clickhouse.Insert(ctx, l.conn, "record_positions", entries,
		clickhouse.Constant[Entry]("kind", l.kind),
		clickhouse.Value("id_hash", func(e *Entry) uint64 { return e.Hash }),
		clickhouse.Value("org_id", func(e *Entry) string { return at(e.Row).OrgID }),
		clickhouse.Value("at", func(e *Entry) int64 { return at(e.Row).At }))
}
