package replica

import (
	"context"
	"fmt"

	"github.com/orgstats/orgstats/clickhouse"
	"github.com/orgstats/orgstats/loader/record"
	"github.com/orgstats/orgstats/schema/cells"
)

// remainingPage is how many records are deleted at once.
const remainingPage = 20_000

// remainingSQL reads, a page at a time, the records of each kind that came from a WAL up to an LSN and are not deleted
// themselves. A row is read in its last version; one that moved away from its key is none.
var remainingSQL = [record.NumKinds]string{
	record.KindConversation: `
SELECT '', toInt64(0), id, id
FROM
(
    SELECT id, deleted_at, log_position
    FROM conversations
    WHERE id > {id:String}
    ORDER BY id, version DESC
    LIMIT 1 BY id
)
WHERE deleted_at IS NULL AND log_position BETWEEN 1 AND {last:UInt64}
LIMIT {limit:UInt64}`,
	record.KindMessage: `
SELECT toString(org_id), toUnixTimestamp64Milli(created_at), id, id
FROM
(
    SELECT org_id, created_at, id, conversation_id, deleted_at, log_position
    FROM messages
    WHERE (org_id, created_at, id) > ({org:String}, fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {id:String})
    ORDER BY org_id, created_at, id, version DESC
    LIMIT 1 BY org_id, created_at, id
)
WHERE conversation_id != '' AND deleted_at IS NULL AND log_position BETWEEN 1 AND {last:UInt64}
LIMIT {limit:UInt64}`,
	record.KindKBFile: `
SELECT toString(org_id), toUnixTimestamp64Milli(processed_at), id, id
FROM
(
    SELECT org_id, processed_at, id, knowledge_base_id, deleted_at, log_position
    FROM kb_files
    WHERE (org_id, processed_at, id) > ({org:String}, fromUnixTimestamp64Milli({at:Int64}, 'UTC'), {id:String})
    ORDER BY org_id, processed_at, id, version DESC
    LIMIT 1 BY org_id, processed_at, id
)
WHERE knowledge_base_id != '' AND deleted_at IS NULL AND log_position BETWEEN 1 AND {last:UInt64}
LIMIT {limit:UInt64}`,
	record.KindMember: `
SELECT toString(org_id), toInt64(0), user_id, source_key
FROM
(
    SELECT org_id, user_id, deleted_at, log_position, source_key
    FROM members
    WHERE (org_id, user_id) > ({org:String}, {id:String})
    ORDER BY org_id, user_id, version DESC
    LIMIT 1 BY org_id, user_id
)
WHERE deleted_at IS NULL AND log_position BETWEEN 1 AND {last:UInt64}
LIMIT {limit:UInt64}`,
}

// sortKey is the sort key of a row.
type sortKey struct {
	orgID string
	at    int64
	id    string
}

// firstKey is before every row.
var firstKey = sortKey{at: cells.MinTime}

// DeleteRemaining deletes, as by a change at an LSN that was made at a time in milliseconds, all records of a kind that
// came from a WAL and whose LSN is last or before it. It may be cut off and done again.
func (w *Writer) DeleteRemaining(ctx context.Context, kind record.Kind, last, lsn uint64, at int64) (deleted int, err error) {
	for after := firstKey; ; {
		batch, end, err := w.remaining(ctx, kind, last, lsn, at, after)
		if err != nil {
			return deleted, err
		}
		if _, err := w.Apply(ctx, batch); err != nil {
			return deleted, err
		}
		deleted += batch.Len()
		if batch.Len() < remainingPage {
			return deleted, nil
		}
		after = end
	}
}

// remaining returns the tombstones of one page, and where the page ends.
func (w *Writer) remaining(ctx context.Context, kind record.Kind, last, lsn uint64, at int64, after sortKey) (*Batch, sortKey, error) {
	ctx, cancel := w.statement(ctx)
	defer cancel()
	params := clickhouse.Params{}
	params.String("org", after.orgID)
	params.Int64("at", after.at)
	params.String("id", after.id)
	params["last"] = fmt.Sprint(last)
	params.Int64("limit", remainingPage)
	batch, end := NewBatch(0), after
	err := clickhouse.LookUp(clickhouse.WithParams(ctx, params), w.conn, "remaining records", nil, remainingSQL[kind], func(scan clickhouse.Scan) error {
		var key string
		if err := scan(&end.orgID, &end.at, &end.id, &key); err != nil {
			return err
		}
		batch.Add(record.NewTombstone(kind, key, lsn, at))
		return nil
	})
	return batch, end, err
}

// LastLSN returns the greatest LSN that any record came with.
func (w *Writer) LastLSN(ctx context.Context) (last uint64, err error) {
	ctx, cancel := w.statement(ctx)
	defer cancel()
	err = w.conn.QueryRow(ctx, `
SELECT max(last)
FROM
(
    SELECT max(log_position) AS last FROM conversations
    UNION ALL SELECT max(log_position) FROM messages
    UNION ALL SELECT max(log_position) FROM kb_files
    UNION ALL SELECT max(log_position) FROM members
)`).Scan(&last)
	if err != nil {
		return 0, fmt.Errorf("look up the last LSN: %w", err)
	}
	return last, nil
}
