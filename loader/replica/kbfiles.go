package replica

import (
	"context"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
	"github.com/orgstats/orgstats/loader/rollup"
)

// kbFiles is the replica of the knowledge-base files.
type kbFiles struct {
	conn      clickhouse.Conn
	locations *index.Locations
	rollups   *rollup.Rollups
}

// apply writes what the records change and returns how many do.
func (k *kbFiles) apply(ctx context.Context, batch uint64, records []*record.KBFile, hashes []uint64) (changed int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	candidates, err := k.locations.Expect(ctx, hashes)
	if err != nil {
		return 0, err
	}
	at, err := k.locations.Find(ctx, columnOf(candidates, func(i int32) uint64 { return hashes[i] }))
	if err != nil {
		return 0, err
	}
	stored, err := k.read(ctx, records, hashes, at)
	if err != nil {
		return 0, err
	}
	var rows []record.KBFile
	var entries []index.Entry
	for i, r := range records {
		old := stored[r.ID]
		if r.IsPartial() {
			if old == nil {
				continue // what was deleted before it was known
			}
			r = r.After(old)
		}
		if old != nil && (r.Before(&old.Version) || *r == *old) {
			continue
		}
		changed++
		if old != nil && kbFileLocation(old) != kbFileLocation(r) {
			rows = append(rows, kbFileTombstone(old))
		}
		if !at.Has(hashes[i], kbFileLocation(r)) {
			entries = append(entries, index.Entry{Hash: hashes[i], Row: int32(len(rows))})
		}
		rows = append(rows, *r)
	}
	if err := k.locations.Write(ctx, entries, func(row int32) index.Location { return kbFileLocation(&rows[row]) }); err != nil {
		return 0, err
	}
	return changed, k.write(ctx, batch, rows)
}

// read reads the rows of the records' ids, given where they may be.
func (k *kbFiles) read(ctx context.Context, records []*record.KBFile, hashes []uint64, at index.Found) (map[string]*record.KBFile, error) {
	rows := map[string]*record.KBFile{}
	keys, n := at.Keys(columnOf(records, (*record.KBFile).Key), hashes)
	if n == 0 {
		return rows, nil
	}
	query := `
SELECT ` + kbFileColumns.Select() + `
FROM
(
    SELECT *
    FROM kb_files
    WHERE (org_id, processed_at, id) IN (SELECT org_id, at, id FROM keys)
    ORDER BY org_id, processed_at, id, version DESC
    LIMIT 1 BY org_id, processed_at, id
)
WHERE knowledge_base_id != ''`
	err := clickhouse.LookUp(ctx, k.conn, "knowledge-base files", keys, query, func(scan clickhouse.Scan) error {
		r := &record.KBFile{}
		err := kbFileColumns.Scan(scan, r)
		rows[r.ID] = r
		return err
	})
	return rows, err
}

func (k *kbFiles) write(ctx context.Context, batch uint64, rows []record.KBFile) error {
	if len(rows) == 0 {
		return nil
	}
	if err := k.rollups.MarkOrganizations(ctx, setOf(rows, func(r *record.KBFile) string { return r.OrgID })); err != nil {
		return err
	}
	return clickhouse.Insert(ctx, k.conn, "kb_files", rows, versioned(kbFileColumns, batch)...)
}
