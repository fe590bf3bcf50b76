-- The agent comes before the time, so that a window of one agent, or of all, is one range for each grain. Small granules, because a
-- request reads few rows, and the bitmaps of a row are large; and compact parts, because it reads nearly all columns of them.
CREATE TABLE IF NOT EXISTS stats_cells
(
    org_id        LowCardinality(String)                       COMMENT 'Organization.',
    agent_id      LowCardinality(String)                       COMMENT 'Agent; empty: all messages, of whichever agent or none.',
    grain         Enum8('hour' = 1, 'day' = 2, 'month' = 3)    COMMENT 'Length of the bucket, in UTC.',
    bucket        DateTime64(3, 'UTC')                         COMMENT 'Start of the bucket.',
    conversations AggregateFunction(groupBitmap, UInt32)       COMMENT 'conversation_no of the conversations with a message in the bucket.',
    users         AggregateFunction(groupBitmap, UInt32)       COMMENT 'user_no of their users.',
    agents        AggregateFunction(groupBitmap, UInt32)       COMMENT 'agent_no of their agents; 0 stands for conversations without one.',
    message_count UInt64                                       COMMENT 'Messages.',
    tool_calls    UInt64                                       COMMENT 'Tool invocations.',
    input_tokens  UInt64                                       COMMENT 'Input tokens.',
    output_tokens UInt64                                       COMMENT 'Output tokens.',
    total_tokens  UInt64                                       COMMENT 'Total tokens.',
    helpful       UInt64                                       COMMENT 'Feedback "helpful".',
    not_helpful   UInt64                                       COMMENT 'Feedback "not_helpful".',
    version       UInt64                                       COMMENT 'Step of the loader that wrote the row; FINAL keeps the greatest.',
    is_deleted    UInt8                                        COMMENT '1: FINAL hides the row: no message is left in the bucket.'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org_id, agent_id, grain, bucket)
SETTINGS index_granularity = 64, min_bytes_for_wide_part = 10000000000, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Figures of the messages by organization, agent and bucket of time, computed from messages. Read it with FINAL, and only where no hour is stale.';
