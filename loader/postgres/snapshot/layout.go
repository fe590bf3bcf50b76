package snapshot

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/orgstats/orgstats/loader/postgres/source"
)

// Layout is how a table is to be copied.
type Layout struct {
	Job      *Job
	Fresh    bool          // the chunks were laid out anew
	Files    source.Files  // that hold them
	Floor    uint64        // of the table, from here on; 0: it stays
	Snapshot uint64        // position of the snapshot that the rows are read under
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
func lockedPartitions(ctx context.Context, tx pgx.Tx, t *source.Table) ([]source.Partition, error) {
	if _, err := tx.Exec(ctx, "LOCK TABLE "+t.SQLName()+" IN ACCESS SHARE MODE"); err != nil {
		return nil, fmt.Errorf("lock table %s against being rewritten: %w", t.FullName(), err)
	}
	partitions, err := source.PartitionsOf(ctx, tx, t.OID)
	if err != nil {
		return nil, fmt.Errorf("measure table %s: %w", t.FullName(), err)
	}
	return partitions, nil
}

// layOut cuts partitions into chunks. The last of each goes on to the end, wherever that is by then.
func layOut(partitions []source.Partition) (chunks []*Chunk) {
	for _, p := range partitions {
		pages := int64(chunkUnknown)
		if p.Rows > 0 {
			pages = min(max(int64(chunkRows/p.Rows*float64(p.Pages)), chunkMin), chunkMax)
		}
		first := int64(0)
		for ; first+pages < p.Pages; first += pages {
			chunks = append(chunks, &Chunk{Table: p.Name, First: uint32(first), End: uint32(first + pages)})
		}
		chunks = append(chunks, &Chunk{Table: p.Name, First: uint32(first)})
	}
	return chunks
}

// Chunk is a range of pages of a table, or of a partition, that is copied at once.
type Chunk struct {
	Table      string // table or partition, as SQL names it
	First, End uint32 // end 0: to the end
	Rows       uint64
	Done       bool
}
