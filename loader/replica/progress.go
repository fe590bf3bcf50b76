package replica

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/orgstats/orgstats/clickhouse"
)

// ErrClaimLost says that another program may be writing: the server or the connection that held the claim went.
var ErrClaimLost = errors.New("the claim to write was lost")

// noteBegun notes that the batch is under way. It must come before anything of the batch is written, but for what is
// written ahead.
func (w *Writer) noteBegun(ctx context.Context) error {
	select {
	case <-w.claim.Lost():
		return errors.Join(ErrClaimLost, w.claim.Err())
	default:
	}
	return w.note(ctx, 2*w.batch)
}

// finish notes that everything of the batch is written.
func (w *Writer) finish(ctx context.Context) error { return w.note(ctx, 2*w.batch+1) }

func (w *Writer) note(ctx context.Context, step uint64) error {
	return clickhouse.Insert(ctx, w.conn, "batches", []uint64{step}, clickhouse.Value("step", func(step *uint64) uint64 { return *step }))
}

// recover finishes the last batch if it was cut off: the messages of the conversations that it wrote are brought up to
// them. Whatever else it would have written comes again, because it was not acknowledged.
func (w *Writer) recover(ctx context.Context) error {
	var step uint64
	if err := w.conn.QueryRow(ctx, "SELECT max(step) FROM batches").Scan(&step); err != nil {
		return fmt.Errorf("read the last batch: %w", err)
	}
	w.batch = step / 2
	defer func() { w.batch++ }() // the number after it may be that of conversations that were written ahead
	if step%2 == 1 || step == 0 {
		return w.rollups.Written(ctx)
	}
	for after := ""; ; {
		written, err := w.conversationsWritten(ctx, after)
		if err != nil {
			return err
		}
		if len(written) == 0 {
			break
		}
		ids, err := lookUpTexts(ctx, w.conn, "messages of conversations", clickhouse.StringKeys("conversation_id", written), `
SELECT DISTINCT id
FROM messages
WHERE conversation_id IN (SELECT conversation_id FROM keys)`)
		if err != nil {
			return err
		}
		if err := w.refresh(ctx, w.batch, ids); err != nil {
			return err
		}
		after = written[len(written)-1]
	}
	if err := w.rollups.Written(ctx); err != nil {
		return err
	}
	return w.finish(ctx)
}

// conversationsWritten returns conversations that the last batch wrote, a page at a time in the order of their ids.
func (w *Writer) conversationsWritten(ctx context.Context, after string) ([]string, error) {
	params := clickhouse.Params{}
	params.Int64("batch", int64(w.batch))
	params.String("after", after)
	params.Int64("limit", refreshChunk)
	return lookUpTexts(clickhouse.WithParams(ctx, params), w.conn, "conversations", nil, `
SELECT DISTINCT id
FROM conversations
WHERE version = {batch:UInt64} AND id > {after:String}
ORDER BY id
LIMIT {limit:UInt64}`)
}

// awaitStatements waits until no statement of an earlier writer is under way: one that was killed may leave an insert
// behind it that the server still carries out.
func (w *Writer) awaitStatements(ctx context.Context) error {
	for {
		var left uint64
		err := w.conn.QueryRow(ctx, `
SELECT count()
FROM system.processes
WHERE Settings['log_comment'] = '`+comment+`' AND current_database = currentDatabase() AND query_id != queryID()`).Scan(&left)
		if err != nil {
			return fmt.Errorf("look for statements of an earlier loader: %w", err)
		}
		if left == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %d statements of an earlier loader to end: %w", left, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}
