package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// copyLayout is how a table is to be copied.
type copyLayout struct {
	job      *copyJob
	fresh    bool          // the chunks were laid out anew
	files    files         // that hold them
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

// lockedPartitions reads which tables hold the rows of a table, and keeps their files as they are as long as the
// transaction goes on.
func lockedPartitions(ctx context.Context, tx pgx.Tx, t *table) ([]partition, error) {
	if _, err := tx.Exec(ctx, "LOCK TABLE "+t.sqlName()+" IN ACCESS SHARE MODE"); err != nil {
		return nil, fmt.Errorf("lock table %s against being rewritten: %w", t.FullName(), err)
	}
	partitions, err := partitionsOf(ctx, tx, t.id)
	if err != nil {
		return nil, fmt.Errorf("measure table %s: %w", t.FullName(), err)
	}
	return partitions, nil
}

// layOut cuts partitions into chunks. The last of each goes on to the end, wherever that is by then.
func layOut(partitions []partition) (chunks []*chunk) {
	for _, p := range partitions {
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
