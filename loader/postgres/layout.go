package postgres

import (
	"context"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// copyLayout is how a table is to be copied.
type copyLayout struct {
	job      *copyJob
	fresh    bool          // the chunks were laid out anew
	fileNode uint32        // of the files that hold them
	floor    uint64        // of the table, from here on; 0: it stays
	snapshot uint64        // position of the snapshot that the rows are read under
	noted    chan struct{} // closed when that is noted
}

const (
	chunkRows    = 200_000 // a chunk has about this many rows,
	chunkMin     = 256     // and so many pages
	chunkMax     = 65536
	chunkUnknown = 2048 // pages where PostgreSQL has not counted rows yet
)

// part is a table that holds rows itself: the table, or a partition.
type part struct {
	name     string // as SQL needs it
	fileNode uint32
	pages    int64
	rows     float64 // about
}

// A table's rows stay where they are as long as its file is the same.
const partsSQL = `
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_relation_filenode(c.oid)::bigint,
    pg_relation_size(c.oid) / current_setting('block_size')::bigint, greatest(c.reltuples, 0)::float8
FROM pg_partition_tree($1::text::regclass) AS tree
JOIN pg_class c ON c.oid = tree.relid
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE tree.isleaf AND c.relkind = 'r'
UNION ALL
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), pg_relation_filenode(c.oid)::bigint,
    pg_relation_size(c.oid) / current_setting('block_size')::bigint, greatest(c.reltuples, 0)::float8
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1::text::regclass AND c.relkind = 'r' AND NOT c.relispartition AND NOT EXISTS (SELECT FROM pg_partition_tree($1::text::regclass))
ORDER BY 1`

func partsOf(ctx context.Context, tx pgx.Tx, t *table) (parts []part, err error) {
	// As long as the table is locked, nobody rewrites its file.
	if _, err := tx.Exec(ctx, "LOCK TABLE "+t.sqlName()+" IN ACCESS SHARE MODE"); err != nil {
		return nil, fmt.Errorf("lock table %s against being rewritten: %w", t.FullName(), err)
	}
	rows, err := tx.Query(ctx, partsSQL, t.sqlName())
	if err != nil {
		return nil, fmt.Errorf("measure table %s: %w", t.FullName(), err)
	}
	var p part
	var node int64
	_, err = pgx.ForEachRow(rows, []any{&p.name, &node, &p.pages, &p.rows}, func() error {
		p.fileNode = uint32(node)
		parts = append(parts, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("measure table %s: %w", t.FullName(), err)
	}
	return parts, nil
}

// filesOf stands for the files of all parts.
func filesOf(parts []part) uint32 {
	if len(parts) == 1 {
		return parts[0].fileNode
	}
	sum := fnv.New32a()
	for _, p := range parts {
		fmt.Fprint(sum, p.name, " ", p.fileNode, "\n")
	}
	return sum.Sum32()
}

// layOut cuts parts into chunks. The last of each goes on to the end, wherever that is by then.
func layOut(parts []part) (chunks []*chunk) {
	for _, p := range parts {
		pages := int64(chunkUnknown)
		if p.rows > 0 {
			pages = min(max(int64(chunkRows/p.rows*float64(p.pages)), chunkMin), chunkMax)
		}
		first := int64(0)
		for ; first+pages < p.pages; first += pages {
			chunks = append(chunks, &chunk{part: p.name, first: uint32(first), end: uint32(first + pages)})
		}
		chunks = append(chunks, &chunk{part: p.name, first: uint32(first)})
	}
	return chunks
}
