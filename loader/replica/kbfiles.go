package replica

import (
	"context"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
)

// kbFiles is the replica of the knowledge-base files.
type kbFiles struct {
	conn      clickhouse.Conn
	positions *positions
	stale     *staleHours
}

// apply writes what the records change and tells how many do.
func (k *kbFiles) apply(ctx context.Context, batch uint64, records []*record.KBFile, hashes []uint64) (changed int, err error) {
	if len(records) == 0 {
		return 0, nil
	}
	candidates, err := k.positions.take(ctx, hashes)
	if err != nil {
		return 0, err
	}
	at, err := k.positions.find(ctx, columnOf(candidates, func(i *int32) uint64 { return hashes[*i] }))
	if err != nil {
		return 0, err
	}
	stored, err := k.read(ctx, records, hashes, at)
	if err != nil {
		return 0, err
	}
	var rows []record.KBFile
	var entries []entry
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
		if old != nil && kbFilePosition(old) != kbFilePosition(r) {
			rows = append(rows, buriedKBFile(old))
		}
		if !at.has(hashes[i], kbFilePosition(r)) {
			entries = append(entries, entry{hashes[i], int32(len(rows))})
		}
		rows = append(rows, *r)
	}
	if err := k.positions.write(ctx, entries, func(row int32) position { return kbFilePosition(&rows[row]) }); err != nil {
		return 0, err
	}
	return changed, k.write(ctx, batch, rows)
}

// read reads the rows of the records' ids among the keys where they may stand.
func (k *kbFiles) read(ctx context.Context, records []*record.KBFile, hashes []uint64, at found) (map[string]*record.KBFile, error) {
	rows := map[string]*record.KBFile{}
	var places []position
	var placed []string
	for i, r := range records {
		for _, p := range at[hashes[i]] {
			places, placed = append(places, p), append(placed, r.ID)
		}
	}
	if len(places) == 0 {
		return rows, nil
	}
	const statement = `
SELECT toString(org_id), toUnixTimestamp64Milli(processed_at), id, knowledge_base_id, toString(processing_status),
    input_tokens, output_tokens, total_tokens, toUnixTimestamp64Milli(created_at), toUnixTimestamp64Milli(updated_at), deleted_at,
    log_position
FROM
(
    SELECT *
    FROM kb_files
    WHERE (org_id, processed_at, id) IN (SELECT org_id, at, id FROM keys)
    ORDER BY org_id, processed_at, id, version DESC
    LIMIT 1 BY org_id, processed_at, id
)
WHERE knowledge_base_id != ''`
	err := query(ctx, k.conn, "knowledge-base files", positionKeys(places, placed), statement, func(scan func(...any) error) error {
		r := &record.KBFile{}
		var deletedAt *time.Time
		err := scan(&r.OrgID, &r.ProcessedAt, &r.ID, &r.KnowledgeBaseID, &r.Status, &r.InputTokens, &r.OutputTokens, &r.TotalTokens,
			&r.CreatedAt, &r.UpdatedAt, &deletedAt, &r.LSN)
		r.DeletedAt, r.Deleted = deletion(deletedAt)
		rows[r.ID] = r
		return err
	})
	return rows, err
}

func (k *kbFiles) write(ctx context.Context, batch uint64, rows []record.KBFile) error {
	if len(rows) == 0 {
		return nil
	}
	if err := k.stale.mark(ctx, setOf(rows, func(r *record.KBFile) string { return r.OrgID }), nil); err != nil {
		return err
	}
	return insert(ctx, k.conn, `INSERT INTO kb_files (org_id, processed_at, id, knowledge_base_id, processing_status,
    input_tokens, output_tokens, total_tokens, created_at, updated_at, deleted_at, log_position, version, is_deleted)`, rows,
		each(func(r *record.KBFile) string { return r.OrgID }),
		each(func(r *record.KBFile) int64 { return r.ProcessedAt }),
		each(func(r *record.KBFile) string { return r.ID }),
		each(func(r *record.KBFile) string { return r.KnowledgeBaseID }),
		each(func(r *record.KBFile) string { return r.Status }),
		each(func(r *record.KBFile) uint32 { return r.InputTokens }),
		each(func(r *record.KBFile) uint32 { return r.OutputTokens }),
		each(func(r *record.KBFile) uint32 { return r.TotalTokens }),
		each(func(r *record.KBFile) int64 { return r.CreatedAt }),
		each(func(r *record.KBFile) int64 { return r.UpdatedAt }),
		each(func(r *record.KBFile) *int64 { return nullableTime(r.DeletedAt, r.Deleted) }),
		each(func(r *record.KBFile) uint64 { return r.LSN }),
		same[record.KBFile](batch),
		each(func(r *record.KBFile) uint8 { return bit(r.Deleted) }))
}
