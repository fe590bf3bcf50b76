package replica

import (
	"context"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/loader/replica/index"
	"github.com/orgstats/orgstats/loader/rollup"
)

var kbFileColumns = append(versionColumns(func(f *record.KBFile) *record.Version { return &f.Version }),
	clickhouse.Text("org_id", func(f *record.KBFile) *string { return &f.OrgID }),
	clickhouse.Millis("processed_at", func(f *record.KBFile) *int64 { return &f.ProcessedAt }),
	clickhouse.Field("id", func(f *record.KBFile) *string { return &f.ID }),
	clickhouse.Field("knowledge_base_id", func(f *record.KBFile) *string { return &f.KnowledgeBaseID }),
	clickhouse.Text("processing_status", func(f *record.KBFile) *string { return &f.Status }),
	clickhouse.Field("input_tokens", func(f *record.KBFile) *uint32 { return &f.InputTokens }),
	clickhouse.Field("output_tokens", func(f *record.KBFile) *uint32 { return &f.OutputTokens }),
	clickhouse.Field("total_tokens", func(f *record.KBFile) *uint32 { return &f.TotalTokens }),
	clickhouse.Millis("created_at", func(f *record.KBFile) *int64 { return &f.CreatedAt }),
	clickhouse.Value("is_deleted", func(f *record.KBFile) uint8 { return bit(f.Deleted) }))

func kbFileLocation(f *record.KBFile) index.Location {
	return index.Location{OrgID: f.OrgID, At: f.ProcessedAt}
}

// kbFileTombstone returns for a file what tombstone returns for a message: its knowledge base is "".
func kbFileTombstone(f *record.KBFile) record.KBFile {
	return record.KBFile{
		Version: record.Version{UpdatedAt: f.UpdatedAt, Deleted: true, LSN: f.LSN},
		ID:      f.ID, OrgID: f.OrgID, ProcessedAt: f.ProcessedAt, CreatedAt: f.CreatedAt,
	}
}

// kbFiles is the replica of the knowledge-base files.
type kbFiles struct {
	sentWhole
	located[record.KBFile]
	rollups *rollup.Rollups
}

func newKBFiles(conn clickhouse.Conn, rollups *rollup.Rollups) *kbFiles {
	return &kbFiles{located: located[record.KBFile]{
		rowsOf[record.KBFile]{locatedSchema("kb_files", "processed_at", "knowledge_base_id"), conn, kbFileColumns, func() *record.KBFile { return &record.KBFile{} }},
		index.NewLocations(conn, "kb_file"), (*record.KBFile).Key,
	}, rollups: rollups}
}

// kbFiles returns the files of the batch.
func (b *Batch) kbFiles() *winners[string, *record.KBFile] {
	return b.sets[record.KindKBFile].(*winners[string, *record.KBFile])
}

func (k *kbFiles) apply(ctx context.Context, batch uint64, p *plan) (changed int, err error) {
	records, hashes := p.batch.kbFiles().list, p.batch.kbFiles().hashes
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
	stored, err := k.read(ctx, columnOf(records, (*record.KBFile).Key), hashes, at)
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
	if len(rows) == 0 {
		return 0, nil
	}
	if err := k.locations.Write(ctx, entries, func(row int32) index.Location { return kbFileLocation(&rows[row]) }); err != nil {
		return 0, err
	}
	if err := k.rollups.MarkFiles(ctx, organizationsOf(rows, (*record.KBFile).Owner)); err != nil {
		return 0, err
	}
	return changed, k.insert(ctx, batch, rows)
}
