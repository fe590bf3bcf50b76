package snapshot

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/orgstats/orgstats/loader/postgres/source"
	"github.com/orgstats/orgstats/loader/postgres/wal"
)

// Run reads the chunks that are left of all copies, under one snapshot.
func (c *Copies) Run(ctx context.Context) error {
	if !slices.ContainsFunc(c.Jobs, func(j *Job) bool { return j.Copying }) {
		return nil
	}
	readers, err := c.openReaders(ctx)
	defer func() {
		for _, r := range readers {
			source.CloseQuietly(r.Conn())
		}
	}()
	if err != nil {
		return err
	}
	var queue []task
	for _, j := range c.Jobs {
		tasks, err := c.layOut(ctx, readers[0], j)
		if err != nil {
			return err
		}
		queue = append(queue, tasks...)
	}
	if err := c.read(ctx, readers, queue); err != nil {
		return err
	}
	return c.readShared(ctx, readers[0])
}

// task is a chunk to read.
type task struct {
	job   *Job
	chunk *Chunk
}

// layOut continues with the chunks of a copy that was cut off, if the rows are still where they were, or else makes new
// ones.
func (c *Copies) layOut(ctx context.Context, tx pgx.Tx, j *Job) (tasks []task, err error) {
	if !j.Copying {
		return nil, nil
	}
	partitions, err := lockedPartitions(ctx, tx, j.Table)
	if err != nil {
		return nil, err
	}
	l := &Layout{Job: j, Files: source.FilesOf(partitions), Snapshot: c.position(), noted: make(chan struct{})}
	// Rows of a partition that was attached after the snapshot are neither in that nor in the WAL.
	why, err := source.FilesOf(j.Table.Partitions).Moved(ctx, tx, partitions)
	if err == nil && why != "" && j.Table.Partitioned {
		return nil, source.Restartf("table %s: %s while its copy was about to begin", j.Table.FullName(), why)
	}
	if err == nil {
		why, err = j.Files.Moved(ctx, tx, partitions)
	}
	if err != nil {
		return nil, fmt.Errorf("look for changes of table %s: %w", j.Table.FullName(), err)
	}
	if len(j.Chunks) == 0 || why != "" {
		if len(j.Chunks) > 0 {
			l.Floor = c.position() // another copy
		}
		l.Fresh, j.Chunks = true, layOut(partitions)
	}
	for _, part := range j.Chunks {
		if !part.Done {
			tasks = append(tasks, task{j, part})
		}
	}
	j.left, j.shared = len(tasks), j.Table.SharesRecords
	if err := c.send(ctx, &Copied{Layout: l}); err != nil {
		return nil, err
	}
	select {
	case <-l.noted:
		return tasks, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// position returns the snapshot's LSN.
func (c *Copies) position() uint64 { return c.Base + uint64(c.point) }

func (c *Copies) send(ctx context.Context, w *Copied) error {
	select {
	case c.Results <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openReaders makes a snapshot and opens the connections that read under it.
func (c *Copies) openReaders(ctx context.Context) (readers []pgx.Tx, err error) {
	conn, err := source.ConnectWAL(ctx, c.URL)
	if err != nil {
		return nil, err
	}
	defer source.CloseQuietly(conn) // and its slot goes with it
	name := fmt.Sprintf("%.40s_copy_%d", c.Slot, conn.PID())
	point, snapshot, err := wal.CreateSlot(ctx, conn, name, true, c.Log)
	if err != nil {
		return nil, err
	}
	c.point = point
	for range max(c.Workers, 1) {
		r, err := openReader(ctx, c.URL, snapshot)
		if err != nil {
			return readers, err
		}
		readers = append(readers, r)
	}
	c.Log.Info("copying tables", "snapshot", point, "connections", len(readers))
	return readers, nil
}

// read reads chunks, as many at once as there are readers.
func (c *Copies) read(ctx context.Context, readers []pgx.Tx, queue []task) error {
	tasks := make(chan task)
	group, ctx := errgroup.WithContext(ctx)
	for _, r := range readers {
		group.Go(func() error {
			read := &copyReader{ctx: ctx, copies: c}
			for t := range tasks {
				if err := read.chunk(r, t); err != nil {
					return err
				}
			}
			return read.flush()
		})
	}
	group.Go(func() error {
		defer close(tasks)
		for _, t := range queue {
			select {
			case tasks <- t:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return group.Wait()
}

// readShared finds the records that several of the copied rows make, and passes them to the writer.
func (c *Copies) readShared(ctx context.Context, tx pgx.Tx) error {
	for _, j := range c.Jobs {
		if !j.Copying || !j.Table.SharesRecords {
			continue
		}
		asked, err := source.SharedIdentities(ctx, tx, j.Table)
		if err != nil {
			return source.ReadError(j.Table, err)
		}
		w := &Copied{Changes: wal.NewChanges(), Job: j, Shared: true, Asked: asked}
		w.Position, w.CommittedAt = c.position(), time.Now()
		if err := c.send(ctx, w); err != nil {
			return err
		}
	}
	return nil
}
