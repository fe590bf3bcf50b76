package stats

import (
	"slices"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/schema/cells"
	"github.com/orgstats/orgstats/service/stats/buckets"
)

// fileRow is the files of a bucket, or of one of its groups, or one file.
type fileRow struct {
	start int64
	file  string // id; "" for a bucket
	bases []string
	sums  [4]uint64 // in the order of fileRecords.sums
}

// filesStatement reads buckets of files, and files one by one, in one statement: a statement costs more than these
// rows.
func (p *plan) filesStatement(f *fetched) statement {
	b := newBuilder(p.question)
	days := wholeUnits(p.files.lackingRows, cells.Day)
	single := "false"
	if len(days) > 0 {
		single = b.within("processed_at", days)
	}
	start, by := "toInt64(0)", ""
	if p.files.key.by == ByKnowledgeBase {
		by = ", knowledge_base_id"
	}
	if pieces := p.files.toFetch(); len(pieces) > 0 {
		start = b.startOf("processed_at", startsOf(intervalsIn(pieces)))
	} else if len(p.files.live) > 0 {
		start = b.startOf("processed_at", startsOf(p.slots))
	}
	read := mergeIntervals(mergeIntervals(intervalsOf(p.files.toFetch(), ""), days), p.files.live)
	q := clickhouse.Query{Name: KindFiles, Params: b.params, SQL: `
SELECT
    if(` + single + `, toUnixTimestamp64Milli(processed_at), ` + start + `) AS start,
    if(` + single + `, id, '') AS file,
    groupUniqArray(knowledge_base_id),
    count(), sum(kb_files.total_tokens), sum(kb_files.input_tokens), sum(kb_files.output_tokens)
FROM kb_files FINAL
WHERE ` + b.processed(read) + `
GROUP BY start, file` + by + `
ORDER BY start` + oneThread}
	return statement{q, func(scan clickhouse.Scan) error {
		var row fileRow
		err := scan(&row.start, &row.file, &row.bases, &row.sums[0], &row.sums[1], &row.sums[2], &row.sums[3])
		f.fileRows = append(f.fileRows, row)
		return err
	}}
}

// convertFiles makes buckets and rows of files. Their knowledge bases get numbers here.
func (m *memory) convertFiles(o *organization, p *part, f *fetched) error {
	byStart := piecesByStart(p.toFetch())
	for _, row := range f.fileRows {
		numbers := make([]uint32, len(row.bases))
		for i, base := range row.bases {
			numbers[i] = m.numberOf(o, base)
		}
		slices.Sort(numbers)
		group := buckets.Group{Bucket: &buckets.Bucket{Sums: row.sums[:], Sets: []*buckets.Set{buckets.NewSet(numbers)}}}
		if p.key.by == ByKnowledgeBase {
			group.Number = numbers[0]
		}
		piece, known := byStart[row.start]
		switch {
		case row.file != "":
			if err := f.files.builder(fileRecords, row.start).Append(row.start, numbers, row.values()); err != nil {
				return err
			}
		case len(p.live) > 0:
			f.files.live[row.start] = append(f.files.live[row.start], group)
		case known:
			f.files.buckets[piece] = append(f.files.buckets[piece], group)
		default:
			return errUnknownBucket(row.start)
		}
	}
	f.files.finish()
	return nil
}

// values returns the sums of one file, which fit into 32 bits as the table has them.
func (r fileRow) values() []uint32 {
	values := make([]uint32, len(r.sums))
	for i, sum := range r.sums {
		values[i] = uint32(sum)
	}
	return values
}

// numberOf returns the number of a knowledge base.
func (m *memory) numberOf(o *organization, base string) uint32 {
	no, ok := o.bases[base]
	if !ok {
		no = uint32(len(o.bases) + 1)
		o.bases[base] = no
		o.baseIDs = append(o.baseIDs, base)
		m.lru.grow(&o.item, pieceBytes+int64(len(base)))
	}
	return no
}
