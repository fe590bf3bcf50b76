-- Activity by hour and no longer by day, so that less than an hour of messages is left at either end of a window, whoever is asked about.
-- A conversation rarely lasts for hours, so that this is hardly more rows. The table is empty at first, and all hours are stale:
-- whoever opens the replicas next computes it.
-- Sorted by month, so that the hours of a window that are no whole months are read from one month at either end, whoever is asked
-- about; within a month by user, so that one user is one short range. Small granules, because such ranges are short.
CREATE OR REPLACE TABLE user_activity
(
    org_id          LowCardinality(String)                     COMMENT 'Organization.',
    user_no         UInt32                                     COMMENT 'Dense number of the user (table users).',
    hour            DateTime64(3, 'UTC') COMMENT 'Start of the hour, in UTC.' CODEC(Delta, ZSTD(1)),
    month           DateTime64(3, 'UTC') MATERIALIZED makeDateTime64(toYear(hour), toMonth(hour), 1, 0, 0, 0, 0, 3, 'UTC') COMMENT 'Start of the month, in UTC.',
    conversation_no UInt32                                     COMMENT 'Dense number of the conversation.',
    agent_no        UInt32                                     COMMENT 'Dense number of the agent (table agents); 0: no agent.',
    message_count   UInt64                                     COMMENT 'Messages.',
    tool_calls      UInt64                                     COMMENT 'Tool invocations.',
    input_tokens    UInt64                                     COMMENT 'Input tokens.',
    output_tokens   UInt64                                     COMMENT 'Output tokens.',
    total_tokens    UInt64                                     COMMENT 'Total tokens.',
    helpful         UInt64                                     COMMENT 'Feedback "helpful".',
    not_helpful     UInt64                                     COMMENT 'Feedback "not_helpful".',
    version         UInt64                                     COMMENT 'Step of the loader that wrote the row; FINAL keeps the greatest.',
    is_deleted      UInt8                                      COMMENT '1: FINAL hides the row: no message is left.'
)
ENGINE = ReplacingMergeTree(version, is_deleted)
ORDER BY (org_id, month, user_no, hour, conversation_no)
SETTINGS index_granularity = 128, fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Figures of the messages by organization, user, hour and conversation, computed from messages. Read it with FINAL, and only where no hour is stale.';
