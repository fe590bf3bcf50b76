package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// run reads the chunks that are left of all copies, under one snapshot.
func (c *copies) run(ctx context.Context) error {
	if !c.toCopy() {
		return nil
	}
	readers, err := c.openReaders(ctx)
	defer func() {
		for _, r := range readers {
			closeQuietly(r.tx.Conn())
		}
	}()
	if err != nil {
		return err
	}
	var queue []task
	for _, j := range c.jobs {
		tasks, err := c.layOut(ctx, readers[0].tx, j)
		if err != nil {
			return err
		}
		queue = append(queue, tasks...)
	}
	if err := c.read(ctx, readers, queue); err != nil {
		return err
	}
	return c.readShared(ctx, readers[0].tx)
}

// toCopy tells whether any table has rows to copy.
func (c *copies) toCopy() bool {
	for _, j := range c.jobs {
		if j.copying {
			return true
		}
	}
	return false
}

// task is a chunk to read.
type task struct {
	job   *copyJob
	chunk *chunk
}

// layOut takes up the chunks of a copy that was cut off, if the rows are still where they were, or else makes new ones.
func (c *copies) layOut(ctx context.Context, tx pgx.Tx, j *copyJob) (tasks []task, err error) {
	if !j.copying {
		return nil, nil
	}
	partitions, err := lockedPartitions(ctx, tx, j.table)
	if err != nil {
		return nil, err
	}
	l := &copyLayout{job: j, files: filesOf(partitions), snapshot: c.position(), noted: make(chan struct{})}
	// Rows of a partition that was attached after the snapshot are neither in that nor in the log.
	why, err := filesOf(j.table.partitions).moved(ctx, tx, partitions)
	if err == nil && why != "" && j.table.partitioned {
		return nil, restart("table %s: %s while its copy was about to begin", j.table.FullName(), why)
	}
	if err == nil {
		why, err = j.files.moved(ctx, tx, partitions)
	}
	if err != nil {
		return nil, fmt.Errorf("look for changes of table %s: %w", j.table.FullName(), err)
	}
	if len(j.chunks) == 0 || why != "" {
		if len(j.chunks) > 0 {
			l.floor = c.position() // another copy
		}
		l.fresh, j.chunks = true, layOut(partitions)
	}
	for _, part := range j.chunks {
		if !part.done {
			tasks = append(tasks, task{j, part})
		}
	}
	j.left, j.shared = len(tasks), j.table.shared
	if err := c.send(ctx, &work{layout: l}); err != nil {
		return nil, err
	}
	select {
	case <-l.noted:
		return tasks, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// position is the snapshot's.
func (c *copies) position() uint64 { return c.base + uint64(c.point) }

func (c *copies) send(ctx context.Context, w *work) error {
	select {
	case c.works <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// openReaders makes a snapshot and opens the connections that read under it.
func (c *copies) openReaders(ctx context.Context) (readers []*reader, err error) {
	wal, err := connectWAL(ctx, c.session.URL)
	if err != nil {
		return nil, err
	}
	defer closeQuietly(wal) // and its slot goes with it
	slow := time.AfterFunc(5*time.Second, func() {
		c.session.Log.Info("waiting until transactions that run in PostgreSQL have ended, to take a snapshot")
	})
	defer slow.Stop()
	name := fmt.Sprintf("%.40s_copy_%d", c.session.Slot, wal.PID())
	point, snapshot, err := createSlot(ctx, wal, name, true)
	if err != nil {
		return nil, err
	}
	c.point = point
	for range max(c.session.SnapshotWorkers, 1) {
		r, err := openReader(ctx, c.session.URL, snapshot)
		if err != nil {
			return readers, err
		}
		readers = append(readers, r)
	}
	c.session.Log.Info("copying tables", "snapshot", point, "connections", len(readers))
	return readers, nil
}

// read reads chunks, as many at once as there are readers.
func (c *copies) read(ctx context.Context, readers []*reader, queue []task) error {
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
